"""Sizes as people write them."""

from __future__ import annotations

import re


def parse_bytes(text: str) -> int:
    """Read a size: bytes, or a number with k, m, g or t (powers of 1024), such as ``"512m"``.

    Raises
    ------
    ValueError
        If it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{text!r} is not a size; write it like 512m or 2g")
    return int(float(match[1]) * 1024 ** " kmgt".index(match[2] or " "))


def format_bytes(size: float) -> str:
    """Write a size for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
