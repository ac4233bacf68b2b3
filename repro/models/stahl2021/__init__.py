"""Lingua, an identifier of 75 languages that is made for short texts (Stahl, 2021)."""

from __future__ import annotations

from repro.models.stahl2021.model import Candidate, Identification, Lingua

__all__ = ["Candidate", "Identification", "Lingua"]
