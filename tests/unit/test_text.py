"""Text of others on a terminal: what could steer it is shown, all else is left as it is."""

from __future__ import annotations

import pytest

from repro.common.text import printable


@pytest.mark.parametrize("text", ["", "plain\ttext\n", "é ü 😀 中文 שלום", "\\x1b", "\xa0\xad"])
def test_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07\x1b[2J", r"\x1b]0;title\x07\x1b[2J"),
        ("a\rb\x00\x7f\x0b", r"a\rb\x00\x7f\x0b"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        (
            "\u2028\u2029\u202e\u2066\u2069\u061c\u200f",
            r"\u2028\u2029\u202e\u2066\u2069\u061c\u200f",
        ),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_could_steer_a_terminal_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
