"""CIDEr: what its rows have, what its value depends on, and texts of odd shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from repro.catalog import find_package
from repro.models import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card

    Ready = Callable[[Card], Card]

EQUAL = [{"candidate": text, "references": [text]} for text in ("a red cat on a mat", "two dogs")]


def test_captions_equal_to_their_references_have_the_most_there_is(ready: Ready) -> None:
    ready(find_package("vedantam2015"))
    model = load("vedantam2015-cider")

    macro, _ = model.predict_batch(EQUAL)
    alone, _ = model.predict_batch(EQUAL[:1])

    assert macro["instances"] == pytest.approx([10.0, 5.0])  # "two dogs" has n-grams of two orders
    assert macro["cider"] == pytest.approx(7.5)
    assert alone == {"cider": 0.0, "instances": [0.0]}


def test_what_may_end_a_line_is_whitespace_and_punctuation_is_gone(ready: Ready) -> None:
    ready(find_package("vedantam2015"))
    lines = ["A\nb", "a\r\nb", "a\u2028b", "a\u2029b", "a\x0bb", "a\x0cb", "A, b!"]
    odd = [*lines, "(A)", "漢字 😀", ""]

    _, rows = load("vedantam2015-cider").predict_batch(
        [{"candidate": text, "references": [text, "c"]} for text in odd]
    )

    assert [row["candidate"] for row in rows] == ["a b"] * len(lines) + [
        "-lrb- a -rrb-",
        "漢字",
        "",
    ]
    assert [row["references"] for row in rows] == [[row["candidate"], "c"] for row in rows]
