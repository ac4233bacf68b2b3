"""chrF, of characters, and chrF++, of characters and words (Popović, 2015 and 2017)."""

from __future__ import annotations

from repro.models.popovic2015.model import CHRF, CHRFRow, CHRFScore

__all__ = ["CHRF", "CHRFRow", "CHRFScore"]
