"""VADER, rule-based sentiment of social media text (Hutto & Gilbert, 2014)."""

from __future__ import annotations

from repro.models.hutto2014.model import VADER, OriginalVADER, Sentiment

__all__ = ["VADER", "OriginalVADER", "Sentiment"]
