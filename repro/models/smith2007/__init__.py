"""Tesseract, optical character recognition (Smith, 2007)."""

from __future__ import annotations

from repro.models.smith2007.model import Tesseract

__all__ = ["Tesseract"]
