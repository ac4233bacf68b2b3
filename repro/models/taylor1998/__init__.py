"""Festival, English text to speech (Taylor, Black & Caley, 1998)."""

from __future__ import annotations

from repro.models.taylor1998.model import Festival, FestivalText

__all__ = ["Festival", "FestivalText"]
