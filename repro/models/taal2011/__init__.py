"""STOI, the intelligibility of degraded speech (Taal et al., 2011)."""

from __future__ import annotations

from repro.models.taal2011.model import STOI, Intelligibility

__all__ = ["STOI", "Intelligibility"]
