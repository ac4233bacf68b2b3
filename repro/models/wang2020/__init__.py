"""Sentence embeddings by MiniLM (Wang et al., 2020)."""

from __future__ import annotations

from repro.models.wang2020.model import Encoding, MiniLM, MiniLMNumPy

__all__ = ["Encoding", "MiniLM", "MiniLMNumPy"]
