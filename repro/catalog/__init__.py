"""Model cards: what packages and models there are, what is claimed, and what was measured."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repro.catalog.card import Card as Card
    from repro.catalog.card import ModelCard as ModelCard
    from repro.catalog.cards import find_model as find_model
    from repro.catalog.cards import find_package as find_package
    from repro.catalog.cards import list_models as list_models
    from repro.catalog.cards import list_packages as list_packages
    from repro.catalog.cards import read_cards as read_cards
    from repro.catalog.claim import Claim as Claim
    from repro.catalog.places import models_root as models_root

    MODELS_ROOT: str

# Name → the module that has it: `repro list` needs the index alone, which is here as well.
_HOME = {
    "Card": "repro.catalog.card",
    "Claim": "repro.catalog.claim",
    "ModelCard": "repro.catalog.card",
    "find_model": "repro.catalog.cards",
    "find_package": "repro.catalog.cards",
    "list_models": "repro.catalog.cards",
    "list_packages": "repro.catalog.cards",
    "models_root": "repro.catalog.places",
    "read_cards": "repro.catalog.cards",
}

__all__ = [
    "MODELS_ROOT",
    "Card",
    "Claim",
    "ModelCard",
    "find_model",
    "find_package",
    "list_models",
    "list_packages",
    "models_root",
    "read_cards",
]


def __getattr__(name: str) -> object:
    if name == "MODELS_ROOT":  # looked for when it is asked for, not when this is imported
        return str(import_module("repro.catalog.places").models_root())
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
