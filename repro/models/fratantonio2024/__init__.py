"""Magika, types of files from their bytes (Fratantonio et al., 2025)."""

from __future__ import annotations

from repro.models.fratantonio2024.model import Magika

__all__ = ["Magika"]
