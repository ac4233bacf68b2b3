"""METEOR over a whole corpus, which no claim of the card can be about, and texts of odd shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog import find_package
from repro.common.io import read_jsonl_file
from repro.models import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card

    Ready = Callable[[Card], Card]

SYSTEM = 0.299148440516935  # METEOR 1.5, example/meteor-sys.scr


def test_the_score_of_a_system_is_the_published_one(ready: Ready) -> None:
    card = ready(find_package("denkowski2014"))
    rows: Any = read_jsonl_file(str(card.folder / "claims" / "newstest2009.jsonl"))

    macro, micro = load("denkowski2014-meteor").predict_batch([row["input"] for row in rows])

    assert macro == {"meteor": pytest.approx(SYSTEM, abs=1e-12)}
    assert len(micro) == len(rows)


def test_a_text_cannot_pass_for_several_or_for_a_command(ready: Ready) -> None:
    ready(find_package("denkowski2014"))
    odd = ["a ||| b", "a\nEVAL ||| b", "a\r\nb\u2028c", "|||", "", " ", "naïve 漢字 😀"]

    _, rows = load("denkowski2014-meteor").predict_batch(
        [{"candidate": text, "references": ["a b", text]} for text in odd]
    )

    assert [row["meteor"] for row in rows] == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]
