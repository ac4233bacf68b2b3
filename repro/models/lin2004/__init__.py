"""ROUGE, the original program and its Python port (Lin, 2004)."""

from __future__ import annotations

from repro.models.lin2004.model import ROUGE, FMeasure, ROUGEScore, ROUGEScores

__all__ = ["ROUGE", "FMeasure", "ROUGEScore", "ROUGEScores"]
