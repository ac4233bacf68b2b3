"""Similarity of word senses in WordNet (Wu & Palmer, 1994)."""

from __future__ import annotations

from repro.models.wu1994.model import Similarities, Similarity

__all__ = ["Similarities", "Similarity"]
