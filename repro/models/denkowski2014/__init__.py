"""METEOR, translations against references by aligned words (Denkowski & Lavie, 2014)."""

from __future__ import annotations

from repro.models.denkowski2014.model import METEOR, METEORRow, METEORScore

__all__ = ["METEOR", "METEORRow", "METEORScore"]
