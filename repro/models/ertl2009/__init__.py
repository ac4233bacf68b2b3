"""The synthetic accessibility score of molecules (Ertl & Schuffenhauer, 2009)."""

from __future__ import annotations

from repro.models.ertl2009.model import SAScore

__all__ = ["SAScore"]
