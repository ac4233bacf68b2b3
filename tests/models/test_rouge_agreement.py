"""The two ROUGEs agree on real sentences to the digits that the original prints, but for stems."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog import find_package
from repro.models import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card

    Rows = list[dict[str, dict[str, float]]]

PAIRS = 1000
SCORES = ("rouge-1", "rouge-2", "rouge-l")
DIGITS = Decimal("0.001")  # ROUGE prints five digits of a share; here it is a percentage


@pytest.fixture(scope="module")
def pairs(ready: Callable[[Card], Card]) -> list[dict[str, Any]]:
    """Take 1,000 pairs of neighbouring sentences of New York Times editorials."""
    for package in ("hutto2014", "lin2004"):
        ready(find_package(package))
    rows = islice(load("hutto2014-vader").dataset("nytimes"), PAIRS + 1)
    texts = [row["input"]["text"] for row in rows]
    return [{"candidate": after, "references": [before]} for before, after in pairwise(texts)]


def test_without_stems_recall_and_precision_are_the_same(pairs: list[dict[str, Any]]) -> None:
    perl, port = _scores(pairs, porter_stemmer=False)

    assert len(perl) == len(port) == PAIRS
    assert _differing(perl, port, _recall_and_precision) == dict.fromkeys(SCORES, 0)


def test_without_stems_f1_is_the_same_if_it_is_made_of_rounded_values(
    pairs: list[dict[str, Any]],
) -> None:
    perl, port = _scores(pairs, porter_stemmer=False)

    assert [_rounded(row[s]["f1"]) for row in perl for s in SCORES] == [
        _f1_of_rounded(row[s]) for row in port for s in SCORES
    ]


def test_without_stems_f1_is_never_further_apart_than_one_digit(
    pairs: list[dict[str, Any]],
) -> None:
    perl, port = _scores(pairs, porter_stemmer=False)
    apart = [
        abs(_rounded(one[s]["f1"]) - _rounded(other[s]["f1"]))
        for one, other in zip(perl, port, strict=True)
        for s in SCORES
    ]

    assert max(apart) == DIGITS


def test_with_stems_few_pairs_differ(pairs: list[dict[str, Any]]) -> None:
    """The original has WordNet's irregular forms, and another version of Porter's algorithm."""
    perl, port = _scores(pairs, porter_stemmer=True)

    # Measured. "been" and "were" are "be" there, and "children" is "child"; here not.
    assert _differing(perl, port, _recall_and_precision) == {
        "rouge-1": 20,
        "rouge-2": 2,
        "rouge-l": 12,
    }


def _scores(pairs: list[dict[str, Any]], **options: Any) -> tuple[Rows, Rows]:
    perl = load("lin2004-rouge", ngram_order=2, calculate_su4=False, **options)
    port = load("lin2004-rougescore", ngram_order=2, **options)
    return perl.predict_batch(pairs)[1], port.predict_batch(pairs)[1]


def _differing(perl: Rows, port: Rows, of: Callable[[dict[str, float]], object]) -> dict[str, int]:
    return {
        score: sum(
            of(one[score]) != of(other[score]) for one, other in zip(perl, port, strict=True)
        )
        for score in SCORES
    }


def _recall_and_precision(row: dict[str, float]) -> tuple[Decimal, Decimal]:
    return _rounded(row["recall"]), _rounded(row["precision"])


def _f1_of_rounded(row: dict[str, float]) -> Decimal:
    """Make F1 as the original does: of shares that were printed with five digits, in floats."""
    recall, precision = (float(_rounded(row[name]) / 100) for name in ("recall", "precision"))
    both = 0.5 * precision + 0.5 * recall
    return _rounded(float(f"{precision * recall / both:.5f}") * 100 if both else 0.0)


def _rounded(percentage: float) -> Decimal:
    return Decimal(f"{percentage:.3f}")
