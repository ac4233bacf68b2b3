"""Find a model's class by its name, importing only the package it is in."""

from __future__ import annotations

import logging
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from repro.catalog.card import find_model
from repro.catalog.places import model_code, models_root
from repro.errors import CardError, ConfigurationError, UnknownNameError, nearest
from repro.models.docker_model import DockerModel
from repro.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


def load(name: str, **options: Any) -> Any:
    """Make a model by name.

    Parameters
    ----------
    name : str
        The registered name, such as ``"hutto2014-vader"``.
    **options
        What its class takes; `DockerModel` has the common ones.

    Returns
    -------
    Model

    Raises
    ------
    UnknownNameError
        If there is none of that name; names the nearest ones.
    """
    found = model_class(name)
    known = _options(found)
    for option in options:
        if option not in known:
            raise ConfigurationError(f"{name} has no option {option!r}{nearest(option, known)}")
    return found(**options)


def _options(found: type[Model]) -> list[str]:
    """Name what a class can be made with."""
    parameters = signature(found.__init__).parameters
    names = list(parameters)[1:]
    if issubclass(found, DockerModel):
        names += list(signature(DockerModel.__init__).parameters)[1:]
    return names


def model_class(name: str) -> type[Model]:
    """Find a model's class; a package without a card is imported when no card has the name."""
    try:
        card, model = find_model(name)
    except UnknownNameError:
        for package in packages_without_card():
            _import_if_it_can_be(package)
            if name in Model.list_available():
                return Model.resolve_class_name(name)[0]
        if name in Model.list_available():  # registered by the caller
            return Model.resolve_class_name(name)[0]
        raise
    module = import_module(f"repro.models.{card.package}")
    try:
        found, _ = Model.resolve_class_name(name)
    except UnknownNameError as error:
        problem = f"{module.__name__} registers no model of that name"
        raise CardError(f"{card.package}/model.toml", f"models.{name}", problem) from error
    if found.__name__ != model.class_name:
        problem = f"says {model.class_name!r}, the class that is registered is {found.__name__!r}"
        raise CardError(f"{card.package}/model.toml", f"models.{name}.class", problem)
    return found


def _import_if_it_can_be(package: str) -> None:
    """Import a package; one that is broken must not stop the search for a model of another."""
    try:
        import_module(f"repro.models.{package}")
    except Exception as error:  # noqa: BLE001  whatever it raises is its own
        log.warning("the package %s cannot be imported: %s", package, error)


def packages_without_card() -> Iterator[str]:
    """List the packages that have Python classes and no card, the way the tutorial makes them."""
    for init in sorted(model_code("").glob("*/__init__.py")):
        package = init.parent.name
        if not (models_root() / package / "model.toml").is_file():
            yield package
