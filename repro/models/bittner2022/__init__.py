"""Basic Pitch, from sound to notes (Bittner et al., 2022)."""

from __future__ import annotations

from repro.models.bittner2022.model import BasicPitch

__all__ = ["BasicPitch"]
