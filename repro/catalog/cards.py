"""The cards of all packages: each found by its package's name, or by that of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.catalog.card import NAME, read_card
from repro.catalog.index import name_taken, raise_it, read_models
from repro.catalog.packages import OURS, find_place, places
from repro.catalog.places import model_code
from repro.errors import CardError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.catalog.card import Card, ModelCard
    from repro.catalog.packages import Place


def read_cards(on_error: Callable[[CardError], None] | None = None) -> Iterator[Card]:
    """Read every card: ours sorted by package, then those of other distributions.

    A card that is not right, or a folder of them that cannot be read, is left out where `on_error`
    is told what is wrong with it.
    """
    tell = on_error or raise_it
    for place in places(tell):
        try:
            card = _read_at(place)
        except CardError as error:
            tell(error)
        else:
            yield card


def list_packages(on_error: Callable[[CardError], object] = lambda _: None) -> list[str]:
    """List the names of all packages that have a card, without reading any.

    What keeps others from being found is told to `on_error`.
    """
    return sorted(place.package for place in places(on_error))


def list_models(on_error: Callable[[CardError], None] | None = None) -> list[str]:
    """List the names of all models, without importing any; cards that are not right as above."""
    return sorted(str(entry["model"]) for _, models in read_models(on_error) for entry, _ in models)


def find_package(package: str) -> Card:
    """Read the card of one package.

    Raises
    ------
    UnknownNameError
        If there is no such package, or it has no card.
    """
    place = find_place(package) if NAME.fullmatch(package) else None
    if place is None:
        if NAME.fullmatch(package) and (model_code(package) / "__init__.py").is_file():
            hint = f"it has classes alone; write models/{package}/model.toml"
            raise UnknownNameError("package with a card", package, (), hint)
        hint = "`repro list` shows what there is"
        raise UnknownNameError("package", package, list_packages(), hint)
    return _read_at(place)


def _read_at(place: Place) -> Card:
    """Read the card of a package; one of others may not name a model as another package does."""
    card = read_card(place.card, place.module)
    if not place.module.startswith(f"{OURS}."):
        owners = {
            entry["model"]: owner.package
            for owner, models in read_models(lambda _: None)
            for entry, _ in models
        }
        for model in card.models:
            if owners.get(model, card.package) != card.package:
                raise name_taken(card.package, model, owners[model])
    return card


def find_model(name: str) -> tuple[Card, ModelCard]:
    """Find a model and its package by the model's name; only its own card is read.

    Raises
    ------
    UnknownNameError
        If no card has it.
    CardError
        If the card that should have it is not right; what is wrong with others does no harm.
    """
    known: list[str] = []
    broken: list[CardError] = []
    for place, models in read_models(broken.append):
        names = [str(entry["model"]) for entry, _ in models]
        if name in names:
            card = read_card(place.card, place.module)
            if name in card.models:  # else it changed just now
                return card, card.models[name]
        known += names
    for error in broken:
        if name.startswith(error.file.partition("/")[0]):
            raise error
    hint = "`repro list` shows what there is"
    if broken:
        hint += f", and what is wrong with {' and '.join(error.file for error in broken)}"
    raise UnknownNameError("model", name, known, hint)
