"""THULAC, an analyser of Chinese words (Li & Sun, 2009)."""

from __future__ import annotations

from repro.models.li2009.model import THULAC, THULACSegmenter, Word

__all__ = ["THULAC", "THULACSegmenter", "Word"]
