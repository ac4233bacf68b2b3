"""What came of claims, in a sentence, in a table, and as a file that can be kept or published."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro import __version__
from repro.catalog.claim import Verdict
from repro.common.io import whole_file
from repro.engine.client import connect
from repro.operations.figure import Point, scatter
from repro.operations.page import check_path, page, paragraph, table
from repro.operations.reproduction import as_json, images_of, machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.catalog import Card
    from repro.common.jsonlines import JSON
    from repro.operations.reproduction import ClaimResult

SUFFIXES = (".html", ".md", ".json")
COLUMNS = (
    *("model", "on", "metric", "source"),
    *("reported", "reproduced", "difference", "verdict", "why"),
)
SHAPES = {"reproduced": "circle", "differs, explained": "square", "not as expected": "cross"}
TITLE = "Published and reproduced"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How many claims there are, and how many came out how; each is counted once.

    `explained` ones differ as their card says, and says why; `differing` ones should not.
    `surprises` were to differ, and are among the reproduced ones.
    """

    claims: int
    reproduced: int
    explained: int
    differing: int
    failed: int
    not_run: int
    surprises: int

    @classmethod
    def of(cls, results: Sequence[ClaimResult]) -> Summary:
        """Count results."""
        count = Counter((result.verdict, result.as_expected) for result in results)
        return cls(
            claims=len(results),
            reproduced=count[Verdict.REPRODUCED, True] + count[Verdict.REPRODUCED, False],
            explained=count[Verdict.DIFFERS, True],
            differing=count[Verdict.DIFFERS, False],
            failed=count[Verdict.ERROR, False],
            not_run=count[Verdict.NOT_RUN, True] + count[Verdict.NOT_RUN, False],
            surprises=count[Verdict.REPRODUCED, False],
        )

    def __str__(self) -> str:
        share = f" ({self.reproduced / self.claims:.1%})" if self.claims else ""
        surprises = f", {self.surprises} of them unexpectedly" if self.surprises else ""
        others = (
            (self.explained, "differ and are explained"),
            (self.differing, "differ"),
            (self.failed, "failed"),
            (self.not_run, "not run"),
        )
        rest = "".join(f", {number:,} {what}" for number, what in others if number)
        return f"{self.claims:,} claims: {self.reproduced:,} reproduced{share}{surprises}{rest}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of claims, and what they were measured on."""

    results: Sequence[ClaimResult]
    unread: Sequence[str] = ()  # what is wrong with cards whose claims are not known
    about: dict[str, str] = field(default_factory=dict)
    images: dict[str, JSON] = field(default_factory=dict)

    @property
    def summary(self) -> Summary:
        """The counts."""
        return Summary.of(self.results)


def make_report(
    cards: Sequence[Card], results: Sequence[ClaimResult], unread: Sequence[str] = ()
) -> Report:
    """Say beside the results what they were measured on, and when."""
    engine = connect()
    about = {
        "repro": __version__,
        "engine": str(engine.info.get("ServerVersion", "")),
        "machine": machine(),
        "processors": str(engine.info.get("NCPU", "")),
        "memory": f"{int(engine.info.get('MemTotal') or 0) / 2**30:.1f} GiB",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    images = {name: image for card in cards for name, image in images_of(card).items()}
    return Report(results=results, unread=unread, about=about, images=images)


def write_report(path: str, report: Report) -> None:
    """Write a report: a page, a text in Markdown or JSON, as the suffix says.

    Raises
    ------
    ConfigurationError
        If the suffix says nothing.
    DataFileError
        If the file cannot be written.
    """
    check_path(path, "report", SUFFIXES)
    write = {".html": as_page, ".md": as_markdown, ".json": as_text}[Path(path).suffix]
    with whole_file(path) as file:
        file.write(write(report).encode(errors="backslashreplace"))


def as_text(report: Report) -> str:
    """Write a report as JSON."""
    content: dict[str, Any] = {
        **report.about,
        "summary": asdict(report.summary),
        "images": report.images,
        "unread": list(report.unread),
        "claims": [as_json(result) for result in report.results],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def as_markdown(report: Report) -> str:
    """Write a report as Markdown."""
    about = "\n".join(f"- {name}: {_cell(value)}" for name, value in report.about.items())
    images = [(name, image_id(image)) for name, image in report.images.items()]
    parts = [
        f"# {TITLE}",
        f"**{report.summary}**",
        about,
        *(f"Not read: {_cell(problem)}" for problem in report.unread),
        _markdown(COLUMNS, [cells(result) for result in report.results]),
        "## Images",
        _markdown(("image", "id"), images),
    ]
    return "\n\n".join(parts) + "\n"


def as_page(report: Report) -> str:
    """Write a report as one page of HTML that asks for nothing."""
    about = ", ".join(f"{name} {value}" for name, value in report.about.items())
    images = [(name, image_id(image)) for name, image in report.images.items()]
    parts = [
        f"<p><strong>{report.summary}</strong></p>",
        paragraph(about),
        *(paragraph(f"Not read: {problem}") for problem in report.unread),
        plot(report.results),
        paragraph(
            "One point a claim that is a number; on the line both are equal. The scale is "
            "logarithmic on both sides of 0, and linear within 0.01 of it."
        ),
        table(COLUMNS, [cells(result) for result in report.results]),
        "<h2>Images</h2>",
        table(("image", "id"), images),
    ]
    return page(TITLE, parts)


def plot(results: Sequence[ClaimResult]) -> str:
    """Draw reported against reproduced values, as SVG."""
    points = [
        Point(
            x=float(str(result.claim.reported)),
            y=float(result.value),
            group=_group(result),
            title=f"{result.claim.model}, {result.claim.source}: reported "
            f"{result.claim.reported}, reproduced {rounded(result)}",
        )
        for result in results
        if result.difference is not None and isfinite(float(str(result.claim.reported)))
    ]
    labels = ("reported value", "reproduced value")
    return scatter(TITLE, points, labels, groups=SHAPES, powers=True)


def cells(result: ClaimResult) -> tuple[str, ...]:
    """Write a result as a row of a table."""
    claim = result.claim
    return (
        claim.model,
        claim.subject,
        measured(result),
        claim.source,
        shown(claim.reported),
        rounded(result),
        signed(result),
        verdict(result),
        result.error or claim.why,
    )


def measured(result: ClaimResult) -> str:
    """Name what of the output is measured."""
    claim = result.claim
    return f"{claim.metric} {claim.metric_path}".strip() or claim.path or "output"


def verdict(result: ClaimResult) -> str:
    """Name the verdict; one that is not the expected one is marked."""
    unexpected = not result.as_expected and result.verdict != Verdict.NOT_RUN
    return result.verdict.value + (", not as expected" if unexpected else "")


def rounded(result: ClaimResult) -> str:
    """Write a number with two digits more than were reported; anything else as it is."""
    if result.difference is None:
        return "" if result.value is None else shown(result.value)
    return f"{result.value:.{_digits(result)}f}"


def signed(result: ClaimResult) -> str:
    """Write the difference, with two digits more than were reported."""
    return "" if result.difference is None else f"{result.difference:+.{_digits(result)}f}"


def shown(value: object) -> str:
    """Write a value: a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def image_id(image: JSON) -> str:
    """Name an image by what it is."""
    return str(image.get("id", "")) if isinstance(image, dict) else ""


def _digits(result: ClaimResult) -> int:
    return len(str(result.claim.reported).partition(".")[2]) + 2


def _group(result: ClaimResult) -> str:
    reproduced, explained, unexpected = SHAPES
    if not result.as_expected:
        return unexpected
    return reproduced if result.verdict == Verdict.REPRODUCED else explained


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Write a text so that it cannot end a cell, begin a tag, or be read as markup."""
    for mark in "\\`*_[]<>|&#":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
