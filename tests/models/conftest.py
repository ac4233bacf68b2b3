"""What the tests of packages share: their images, there before a test asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from repro.errors import WeightsUnavailable
from repro.operations.setup import setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card
    from repro.engine.client import Engine


@pytest.fixture(scope="session", name="ready")
def _ready(engine: Engine) -> Callable[[Card], Card]:
    """Have the images of a card, each once a session.

    A package whose weights cannot be fetched here is skipped: nothing was found out about it. Its
    own tests build it with others.
    """
    done: dict[str, str] = {}

    def have(card: Card) -> Card:
        if card.package not in done:
            done[card.package] = ""
            try:
                setup(card)
            except WeightsUnavailable as error:
                done[card.package] = str(error)
        if done[card.package]:
            pytest.skip(done[card.package])
        return card

    return have
