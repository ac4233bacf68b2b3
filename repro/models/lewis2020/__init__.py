"""Summaries of news by BART (Lewis et al., 2020)."""

from __future__ import annotations

from repro.models.lewis2020.model import BART

__all__ = ["BART"]
