"""PP-OCR, optical character recognition (Du et al., 2020)."""

from __future__ import annotations

from repro.models.du2020.model import PPOCR

__all__ = ["PPOCR"]
