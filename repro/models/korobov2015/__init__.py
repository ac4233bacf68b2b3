"""pymorphy2, the forms of Russian words (Korobov, 2015)."""

from __future__ import annotations

from repro.models.korobov2015.model import (
    Analysis,
    Parse,
    Pymorphy2,
    Pymorphy2Agree,
    Pymorphy2Inflect,
)

__all__ = ["Analysis", "Parse", "Pymorphy2", "Pymorphy2Agree", "Pymorphy2Inflect"]
