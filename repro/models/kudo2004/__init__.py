"""MeCab, a morphological analyser of Japanese (Kudo et al., 2004)."""

from __future__ import annotations

from repro.models.kudo2004.model import MeCab, Morpheme

__all__ = ["MeCab", "Morpheme"]
