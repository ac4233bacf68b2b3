"""TextRank, of sentences and of words (Mihalcea & Tarau, 2004)."""

from __future__ import annotations

from repro.models.mihalcea2004.model import Keywords, Summary, TextRank, TextRankKeywords

__all__ = ["Keywords", "Summary", "TextRank", "TextRankKeywords"]
