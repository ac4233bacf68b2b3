"""Take the images of packages from where they were published, instead of building them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from repro.catalog import find_package
from repro.catalog.lockfile import read_lock
from repro.common.config import Config, read_config
from repro.engine import image as images
from repro.engine.client import connect
from repro.engine.contents import short_name
from repro.engine.context import CONTEXT_LABEL
from repro.engine.recipe import recipe_of
from repro.errors import (
    ConfigurationError,
    EngineError,
    EngineUnavailable,
    ImageNotFound,
    ImageOutdated,
    ReproError,
    UnknownNameError,
)
from repro.models.lookup import packages_without_card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from repro.catalog import Card
    from repro.engine.client import Engine
    from repro.engine.image import Image
    from repro.engine.recipe import Recipe

    Report: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class PullResult:
    """What came of pulling an image; a package that fails has one result, which says why."""

    package: str
    image: str
    outcome: Literal["pulled", "failed"]
    error: str = ""
    exit_code: int = 0


def pull_many(
    packages: Iterable[str], report: Callable[[str, str], None] = lambda _package, _line: None
) -> Iterator[PullResult]:
    """Pull the images of several packages; one that fails is a result and stops no other.

    Parameters
    ----------
    packages : iterable of str
        Their names.
    report : callable, optional
        Gets (package, line) of what is done.

    Raises
    ------
    EngineUnavailable
        If there is no engine that could have them.
    """
    for package in packages:
        try:
            pulled = pull(package, report=partial(report, package))
        except EngineUnavailable:
            raise
        except ReproError as error:
            about = {"package": package, "image": package, "error": str(error)}
            yield PullResult(**about, outcome="failed", exit_code=error.exit_code)
        else:
            for _, image in pulled:
                yield PullResult(package=package, image=image, outcome="pulled")


def pull(package: str, *, report: Report | None = None) -> list[tuple[str, str]]:
    """Pull the images of a package; return (package, image) of each.

    By the digest in the package's `image.lock`, from where it was published or from a mirror; where
    the lock has none, by its name and version from the namespace in the configuration, if that has
    one. An image
    that was built from something else than the package says is refused.

    Raises
    ------
    ImageNotFound
        If no registry that answers has one; `repro setup` builds it.
    ImageOutdated
        If it was built from something else.
    """
    try:
        card = find_package(package)
    except UnknownNameError:
        if package not in set(packages_without_card()):
            raise
        return [(package, _pull(connect(), _default_image(package), package, report))]
    engine, namespace = connect(), read_config().namespace
    pulled = []
    for one in card.images:
        recipe = recipe_of(card, one, namespace=namespace)
        if names := exact_names(card, recipe):
            fetch(engine, recipe, names, report)
        elif namespace == Config.namespace:  # nobody's, so whoever takes it decides what is pulled
            remedy = f"no image.lock has a digest of it; `repro setup {package}` builds it"
            raise ImageNotFound(recipe.name, remedy, images.NOT_PULLED)
        else:
            _pull_version(engine, recipe, report)
        pulled.append((package, recipe.name))
    return pulled


def _default_image(package: str) -> str:
    """Name the image of a package without a card, the way the tutorial does."""
    name = getattr(import_module(f"repro.models.{package}"), "DEFAULT_IMAGE", None)
    if not isinstance(name, str):
        problem = f"{package} has no model.toml, and repro.models.{package} no DEFAULT_IMAGE"
        raise ConfigurationError(f"{problem}: nothing says what is to be pulled")
    return name


def exact_names(card: Card, recipe: Recipe) -> list[str]:
    """List the names, with its digest, that an image was published under, then those of mirrors.

    None if the lock knows no image that was built from what the package says now.
    """
    lock = read_lock(card.folder)
    locked = lock.image(short_name(recipe)) if lock is not None else None
    if locked is None or locked.context != recipe.digest():
        return []
    names = [f"{place}@{digest}" for place, digest in locked.published.items()]
    for mirror in _mirrors():
        digests = dict.fromkeys(locked.published.values())
        names += [f"{mirror}/{locked.name}@{digest}" for digest in digests]
    return names


def fetch(
    engine: Engine, recipe: Recipe, names: Sequence[str], report: Report | None = None
) -> Image:
    """Have the image of a recipe by the first of some exact names that can be had.

    Raises
    ------
    ImageNotFound
        If none can be, with what each registry said.
    """
    problems = []
    for name in names:
        try:
            return _fetch(engine, recipe, name, report)
        except EngineUnavailable:
            raise
        except EngineError as error:
            problems.append(str(error))
            if report is not None:
                report(str(error))
    remedy = f"`repro setup --build {recipe.package}` builds it"
    raise ImageNotFound(recipe.name, "; ".join([*problems, remedy]), images.NOT_PULLED)


def _fetch(engine: Engine, recipe: Recipe, name: str, report: Report | None) -> Image:
    """Pull by digest, which the engine checks; then look whether it is what the recipe makes."""
    if report is not None:
        report(f"pulling {name}")
    image = images.pull(engine, name, report)
    try:
        _check(recipe, name, image)
        images.retag(engine, image, recipe.name)
    finally:
        images.forget(engine, name)
    return image


def _pull_version(engine: Engine, recipe: Recipe, report: Report | None) -> None:
    before = images.find(engine, recipe.name)
    _pull(engine, recipe.name, recipe.package, report)
    image = images.find(engine, recipe.name)
    try:
        if image is not None:
            _check(recipe, recipe.name, image)
    except ImageOutdated:
        if before is None:
            images.remove(engine, recipe.name)
        else:
            images.retag(engine, before, recipe.name)
        raise


def _pull(engine: Engine, name: str, package: str, report: Report | None) -> str:
    try:
        images.pull(engine, name, report)
    except ImageNotFound as error:
        remedy = f"{error.remedy}; `repro setup {package}` builds it"
        raise ImageNotFound(name, remedy, images.NOT_PULLED) from error
    return name


def _check(recipe: Recipe, name: str, image: Image) -> None:
    """Refuse an image that says it was built from something else."""
    built_from, expected = image.labels.get(CONTEXT_LABEL, ""), recipe.digest()
    if built_from != expected:
        remedy = f"it is not used; `repro setup --build {recipe.package}` builds one"
        raise ImageOutdated(name, built_from, expected, remedy)


def _mirrors() -> list[str]:
    named = os.environ.get("REPRO_MIRRORS")
    found = re.split(r"[\s,]+", named) if named is not None else read_config().mirrors
    return [mirror.rstrip("/") for mirror in found if mirror]
