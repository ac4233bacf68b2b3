"""Silero VAD, a detector of speech (Silero Team, 2021)."""

from __future__ import annotations

from repro.models.silero2021.model import Activity, SileroVAD, SileroVAD6, Stretch

__all__ = ["Activity", "SileroVAD", "SileroVAD6", "Stretch"]
