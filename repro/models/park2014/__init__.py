"""KoNLPy, four taggers of Korean (Park & Cho, 2014)."""

from __future__ import annotations

from repro.models.park2014.model import KoNLPy, KoreanAnalysis, KoreanMorpheme

__all__ = ["KoNLPy", "KoreanAnalysis", "KoreanMorpheme"]
