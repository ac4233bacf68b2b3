"""Models of one task over real rows: some agree, and some do not."""

from __future__ import annotations

import json
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog import find_model, find_package
from repro.models import load
from repro.operations.comparison import Compared, Comparison, ComparisonJob, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card

    Ready = Callable[[Card], Card]

TEXTS = Path(__file__).resolve().parents[2] / "docs" / "composition"
SENTENCES = 200


@pytest.fixture(name="over")
def _over(ready: Ready, tmp_path: Path) -> Callable[..., Comparison]:
    """Compare models over rows, their images there."""

    def over(rows: list[dict[str, Any]], *models: Compared, **given: Any) -> Comparison:
        for model in models:
            ready(find_model(model.name)[0])
        file = tmp_path / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return compare(ComparisonJob(models=models, inputs=(str(file),), **given))

    return over


@pytest.fixture
def editorials(ready: Ready) -> list[str]:
    """Sentences of New York Times editorials."""
    ready(find_package("hutto2014"))
    rows = islice(load("hutto2014-vader").dataset("nytimes"), SENTENCES + 1)
    return [str(row["input"]["text"]) for row in rows]  # type: ignore[index, call-overload]


def test_three_language_identifiers_agree_but_for_two_sentences(
    over: Callable[..., Comparison],
) -> None:
    rows = [
        {"text": sentence}
        for file in ("english.txt", "spanish.txt")
        for sentence in (TEXTS / file).read_text(encoding="utf-8").split(". ")
    ]
    names = ("lui2012-langid", "joulin2017-lid", "stahl2021-lingua")

    found = over(rows, *(Compared(name=name) for name in names), paths=("language",))

    assert found.complete
    # Measured: two short sentences of Spanish pass for Portuguese, with one or two of the three.
    assert found.values[0].of["stahl2021-lingua"] == ["en"] * 9 + ["es"] * 9
    assert [(agreed["rows"], round(18 * agreed["equal"])) for agreed in found.agreement] == [
        (18, 17),
        (18, 17),
        (18, 16),
    ]
    kappas = [agreed["cohen_kappa"] for agreed in found.agreement]
    assert kappas == pytest.approx([0.9027, 0.8947, 0.8], abs=5e-5)


def test_two_rouges_agree(over: Callable[..., Comparison], editorials: list[str]) -> None:
    rows = [{"candidate": b, "references": [a]} for a, b in pairwise(editorials)]
    options = {"ngram_order": 2, "porter_stemmer": False}
    perl = Compared(name="lin2004-rouge", load_options={**options, "calculate_su4": False})
    port = Compared(name="lin2004-rougescore", load_options=options)

    found = over(rows, perl, port, paths=("rouge-1.recall", "rouge-2.precision", "rouge-l.recall"))

    assert found.complete
    assert set(found.corpus) == {"lin2004-rouge", "lin2004-rougescore"}
    assert max(agreed["largest_difference"] for agreed in found.agreement) <= 0.0005 + 1e-9
    assert min(agreed["pearson_r"] for agreed in found.agreement) > 0.999999


def test_two_vaders_do_not(over: Callable[..., Comparison], editorials: list[str]) -> None:
    rows = [{"text": text} for text in editorials]
    both = [Compared(name=name) for name in ("hutto2014-vader", "hutto2014-vader-icwsm")]

    found = over(rows, *both, paths=("compound",))
    (agreed,) = found.agreement

    assert found.complete
    assert 0.9 < agreed["pearson_r"] < 0.999
    assert agreed["largest_difference"] > 0.1
