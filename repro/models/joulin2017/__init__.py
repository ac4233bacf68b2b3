"""fastText's identifier of 176 languages (Joulin et al., 2017)."""

from __future__ import annotations

from repro.models.joulin2017.model import Candidate, FastTextLID, Identification

__all__ = ["Candidate", "FastTextLID", "Identification"]
