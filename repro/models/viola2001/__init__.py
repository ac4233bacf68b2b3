"""Cascades that find faces (Viola & Jones, 2001)."""

from __future__ import annotations

from repro.models.viola2001.model import HaarFaces, LBPFaces

__all__ = ["HaarFaces", "LBPFaces"]
