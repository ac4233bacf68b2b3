"""Frog, an analyser of Dutch text (Van den Bosch et al., 2007)."""

from __future__ import annotations

from repro.models.vandenbosch2007.model import Frog, FrogToken

__all__ = ["Frog", "FrogToken"]
