"""YAKE, an extractor of keywords (Campos et al., 2020)."""

from __future__ import annotations

from repro.models.campos2020.model import YAKE, Keyword

__all__ = ["YAKE", "Keyword"]
