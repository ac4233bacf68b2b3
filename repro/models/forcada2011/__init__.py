"""Apertium, translation by rules (Forcada et al., 2011)."""

from __future__ import annotations

from repro.models.forcada2011.model import Apertium

__all__ = ["Apertium"]
