"""madmom, beats and tempi of music (Böck, Krebs & Widmer, 2016)."""

from __future__ import annotations

from repro.models.boeck2016.model import MadmomBeats, MadmomDownbeats, MadmomTempo

__all__ = ["MadmomBeats", "MadmomDownbeats", "MadmomTempo"]
