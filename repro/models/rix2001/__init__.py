"""PESQ, the quality of degraded speech (Rix et al., 2001)."""

from __future__ import annotations

from repro.models.rix2001.model import PESQ, Quality

__all__ = ["PESQ", "Quality"]
