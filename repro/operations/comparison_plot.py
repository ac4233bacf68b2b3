"""Draw a comparison: numbers of two models against each other, labels by how often they met."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from repro.common.io import whole_file
from repro.operations.figure import Point, matrix, scatter, stacked
from repro.operations.page import check_path, page, paragraph, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repro.operations.comparison import Comparison
    from repro.operations.values import Values

SUFFIXES = (".html", ".svg")
MOST_POINTS = 5000  # in a figure; of more rows, every so many-th is drawn
MOST_LABELS = 12
REST = "(others)"


def write_plot(path: str, comparison: Comparison) -> None:
    """Write the figures of a comparison: alone, or on a page with its agreement.

    Raises
    ------
    ConfigurationError
        If the suffix says neither.
    DataFileError
        If the file cannot be written.
    """
    check_path(path, "plot", SUFFIXES)
    figures = [figure for values in comparison.values for figure in draw(values)]
    drawn = stacked(figures) if path.endswith(".svg") else _page(comparison, figures)
    with whole_file(path) as file:
        file.write(drawn.encode(errors="backslashreplace"))


def draw(values: Values) -> Iterator[str]:
    """Draw a figure of each two models."""
    for one, other, rows in values.pairs():
        title = f"{one} and {other}" + (f": {values.name}" if values.name else "")
        left, right = values.of[one], values.of[other]
        if values.numbers:
            step = -(-len(rows) // MOST_POINTS) or 1
            points = [Point(x=float(left[i]), y=float(right[i])) for i in rows[::step]]
            yield scatter(title, points, (one, other))
        else:
            met = Counter((_word(right[i]), _word(left[i])) for i in rows)
            labels = Counter(label for pair in met.elements() for label in pair)
            common = [label for label, _ in islice(labels.most_common(), MOST_LABELS)]
            counts = Counter[tuple[str, str]]()
            for (down, across), number in met.items():
                kept = [label if label in common else REST for label in (down, across)]
                counts[kept[0], kept[1]] += number
            names = sorted(common) + ([REST] if len(labels) > MOST_LABELS else [])
            yield matrix(title, (one, other), names, names, counts)


def _page(comparison: Comparison, figures: Sequence[str]) -> str:
    rows = [
        (
            ", ".join(agreed["models"]),
            *(_cell(agreed[name]) for name in agreed if name != "models"),
        )
        for agreed in comparison.agreement
    ]
    names = [tuple(agreed) for agreed in comparison.agreement]
    tables = [
        table(columns, [r for r, n in zip(rows, names, strict=True) if n == columns])
        for columns in dict.fromkeys(names)
    ]
    failures = [paragraph(f"{name} failed: {why}") for name, why in comparison.failures.items()]
    counted = paragraph(f"{comparison.rows:,} rows")
    return page("Agreement of models", [counted, *failures, *tables, *figures])


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
