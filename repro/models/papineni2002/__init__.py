"""BLEU, of a corpus and of sentences (Papineni et al., 2002)."""

from __future__ import annotations

from repro.models.papineni2002.model import BLEU, BLEURow, BLEUScore, SentBLEU, SentBLEUScore

__all__ = ["BLEU", "BLEURow", "BLEUScore", "SentBLEU", "SentBLEUScore"]
