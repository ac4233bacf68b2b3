"""Find a model's class by its name, importing only the package it is in."""

from __future__ import annotations

import logging
from importlib import import_module
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, get_type_hints

from repro.catalog.cards import find_model, list_packages
from repro.catalog.packages import OURS
from repro.catalog.places import model_code
from repro.errors import CardError, ConfigurationError, UnknownNameError, nearest
from repro.models.docker_model import DockerModel
from repro.models.model import Model
from repro.models.schema import Field, Schema, checker, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

    from repro.catalog import Card

log = logging.getLogger(__name__)
COMMON = tuple(signature(DockerModel.__init__).parameters)[1:]


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
    ConfigurationError
        If the class has no such option, or its annotation says another type.
    """
    found = model_class(name)
    known = [*_own_options(found), *(COMMON if issubclass(found, DockerModel) else ())]
    for option in options:
        if option not in known:
            raise ConfigurationError(f"{name} has no option {option!r}{nearest(option, known)}")
    check_load_options(name, found, options)
    return found(**options)


def schema_of(name: str, model: Model) -> Schema:
    """Tell what an instance and a prediction of a model of that name are, whatever its kind."""
    if isinstance(model, DockerModel):
        return model.schema
    return Schema.of(name, type(model).predict)


def check_load_options(name: str, found: type[Model], options: Mapping[str, Any]) -> None:
    """Check the types of what a model is to be made with, as strictly as those of a call.

    The options that every `DockerModel` has are checked by itself. What is not annotated, or with a
    type that only its own module knows, passes; so does a default, whatever its annotation says.

    Raises
    ------
    ConfigurationError
        With the option, its type and the value, if one is of another type.
    """
    own = _own_options(found)
    for option, value in options.items():
        about = own.get(option)
        if about is not None and value is not about.default and (problem := _wrong(about, value)):
            told = f"{problem}; it is {shown(value)}"
            raise ConfigurationError(f"load option {option!r} of {name} {told}")


def _wrong(about: Field, value: object) -> str:
    try:
        check = checker(about.type)
    except (ConfigurationError, NameError):  # a class of the wrapper's own, say
        return ""
    return check(value)


def _own_options(found: type) -> dict[str, Field]:
    """List what a class is made with, besides what every `DockerModel` is."""
    own: dict[str, Field] = {}
    for cls in found.__mro__:
        if cls in {DockerModel, Model, object}:
            break
        if "__init__" in vars(cls):
            parameters = list(signature(vars(cls)["__init__"]).parameters.values())[1:]
            own = {**_fields(cls, parameters), **own}
            if not any(one.kind is Parameter.VAR_KEYWORD for one in parameters):
                break
    common = COMMON if issubclass(found, DockerModel) else ()
    return {name: about for name, about in own.items() if name not in common}


def _fields(cls: Any, parameters: Sequence[Parameter]) -> dict[str, Field]:
    """Read parameters that can be given by name, with their types where those can be found."""
    try:
        hints = get_type_hints(cls.__init__, include_extras=True)
    except NameError:  # imported for type checkers only
        hints = {}
    named = [p for p in parameters if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}]
    return {p.name: Field(p.name, hints.get(p.name, Any), p.default) for p in named}


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
    module = _import_module_of(card)
    try:
        found, _ = Model.resolve_class_name(name)
    except UnknownNameError as error:
        problem = f"{module.__name__} registers no model of that name"
        remedy = f'write @Model.register("{name}") above its class, and import it there'
        raise CardError(f"{card.package}/model.toml", f"models.{name}", problem, remedy) from error
    if found.__name__ != model.class_name:
        problem = f"says {model.class_name!r}, the class that is registered is {found.__name__!r}"
        raise CardError(f"{card.package}/model.toml", f"models.{name}.class", problem)
    return found


def _import_module_of(card: Card) -> ModuleType:
    """Import a package; what goes wrong in one of others is theirs, and no defect of ours."""
    try:
        return import_module(card.module)
    except (Exception, SystemExit) as error:
        if card.module.startswith(f"{OURS}."):
            raise
        problem = f"cannot be imported: {type(error).__name__}: {error}"
        remedy = f"`python -c 'import {card.module}'` shows where"
        raise CardError(card.package, f"the module {card.module}", problem, remedy) from error


def _import_if_it_can_be(package: str) -> None:
    """Import a package; one that is broken must not stop the search for a model of another."""
    try:
        import_module(f"repro.models.{package}")
    except Exception as error:  # noqa: BLE001  whatever it raises is its own
        log.warning("the package %s cannot be imported: %s", package, error)


def packages_without_card() -> Iterator[str]:
    """List the packages that have Python classes and no card, the way the tutorial makes them."""
    carded = set(list_packages())
    for init in sorted(model_code("").glob("*/__init__.py")):
        if init.parent.name not in carded:
            yield init.parent.name
