"""TER, the translation edit rate (Snover et al., 2006)."""

from __future__ import annotations

from repro.models.snover2006.model import TER, TERRow, TERScore

__all__ = ["TER", "TERRow", "TERScore"]
