"""PocketSphinx, speech recognition and alignment (Huggins-Daines et al., 2006)."""

from __future__ import annotations

from repro.models.hugginsdaines2006.model import Aligner, PocketSphinx, Transcript, Word

__all__ = ["Aligner", "PocketSphinx", "Transcript", "Word"]
