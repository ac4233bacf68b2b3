"""What the tests of packages share: their images, there before a test asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from repro.operations.setup import setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card
    from repro.engine.client import Engine


@pytest.fixture(scope="session", name="ready")
def _ready(engine: Engine) -> Callable[[Card], Card]:
    """Have the images of a card, each once a session."""
    done: set[str] = set()

    def have(card: Card) -> Card:
        if card.package not in done:
            setup(card)
            done.add(card.package)
        return card

    return have
