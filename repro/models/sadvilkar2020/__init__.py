"""pySBD, sentence boundaries by rules (Sadvilkar & Neumann, 2020)."""

from __future__ import annotations

from repro.models.sadvilkar2020.model import PySBD

__all__ = ["PySBD"]
