"""Text of models, made fit for a terminal."""

from __future__ import annotations

import re

# Control characters but tab and newline, line and paragraph separators, and what turns the
# direction of writing: they can move the cursor, hide text, or make it read as something else.
# Lone surrogates too, which no stream can write.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Make control characters visible as escapes; tabs and newlines stay."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
