"""SymSpell, spelling correction by deletions alone (Garbe, 2012)."""

from __future__ import annotations

from repro.models.garbe2012.model import (
    Correction,
    Segmentation,
    Suggestion,
    SymSpell,
    SymSpellLookup,
    SymSpellSegmentation,
)

__all__ = [
    "Correction",
    "Segmentation",
    "Suggestion",
    "SymSpell",
    "SymSpellLookup",
    "SymSpellSegmentation",
]
