"""BERTScore, texts against references by contextual embeddings (Zhang et al., 2020)."""

from __future__ import annotations

from repro.models.zhang2020.model import BERTScore, Similarity

__all__ = ["BERTScore", "Similarity"]
