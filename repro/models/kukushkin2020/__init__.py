"""Natasha, an analyser of Russian text (Kukushkin, 2020)."""

from __future__ import annotations

from repro.models.kukushkin2020.model import (
    Document,
    Entity,
    Match,
    Natasha,
    NatashaFacts,
    Sentence,
    Token,
)

__all__ = ["Document", "Entity", "Match", "Natasha", "NatashaFacts", "Sentence", "Token"]
