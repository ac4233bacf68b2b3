"""langid.py, an off-the-shelf language identifier (Lui & Baldwin, 2012)."""

from __future__ import annotations

from repro.models.lui2012.model import Identification, LangID

__all__ = ["Identification", "LangID"]
