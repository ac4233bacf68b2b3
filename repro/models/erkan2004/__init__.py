"""LexRank (Erkan & Radev, 2004)."""

from __future__ import annotations

from repro.models.erkan2004.model import LexRank, RankedSummary

__all__ = ["LexRank", "RankedSummary"]
