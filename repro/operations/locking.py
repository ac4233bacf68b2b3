"""Write down what the images of a package are made of, in its `image.lock`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from repro.catalog.lockfile import Lock, read_lock, write_lock
from repro.common.config import read_config
from repro.engine.client import connect
from repro.engine.contents import look_into
from repro.engine.context import CONTEXT_LABEL
from repro.engine.recipe import check, recipe_of
from repro.errors import CardError, ConfigurationError, ImageOutdated, ReproError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from repro.catalog import Card
    from repro.catalog.lockfile import LockedImage


def lock(card: Card) -> Lock:
    """Lock a package: look into its images, and write what they are made of.

    Where they were published stays written, as long as they are built from the same.

    Raises
    ------
    ConfigurationError
        If one was published under this version, from something else.
    ImageNotFound, ImageOutdated
        If an image is not there, or was built from something else; `repro setup` builds it.
    """
    engine, namespace = connect(), read_config().namespace
    platform, images = "", []
    for name in card.images:
        recipe = recipe_of(card, name, namespace=namespace)
        image = check(engine, recipe)
        if (built_from := image.labels[CONTEXT_LABEL]) != (expected := recipe.digest()):
            remedy = f"`repro setup --build {card.package}` builds it without chosen arguments"
            raise ImageOutdated(recipe.name, built_from, expected, remedy)
        platform, locked = look_into(engine, recipe)
        images.append(replace(locked, published=published(card, locked)))
    written = Lock(
        package=card.package, version=card.version, platform=platform, images=tuple(images)
    )
    write_lock(card.folder, written)
    return written


@dataclass(frozen=True, kw_only=True)
class LockResult:
    """What was locked of one image: how many packages of each kind, and files."""

    package: str
    image: str
    outcome: str
    debian: int = 0
    python: int = 0
    files: int = 0
    error: str = ""
    exit_code: int = 0


def lock_many(cards: Iterable[Card]) -> list[LockResult]:
    """Lock several packages; one that fails is a result and stops no other.

    Raises
    ------
    EngineUnavailable
        If there is no engine that has images.
    """
    connect()
    results = []
    for card in cards:
        try:
            images = lock(card).images
        except ReproError as error:
            failure = LockResult(
                package=card.package,
                image=card.package,
                outcome="failed",
                error=str(error),
                exit_code=error.exit_code,
            )
            results.append(failure)
            continue
        results += [
            LockResult(
                package=card.package,
                image=image.name,
                outcome="locked",
                debian=len(image.debian),
                python=len(image.python),
                files=len(image.files),
            )
            for image in images
        ]
    return results


def published(card: Card, image: LockedImage) -> dict[str, str]:
    """Tell where an image was published, from the lock there is; one that is not right says none.

    Raises
    ------
    ConfigurationError
        If it was published under this version, and from something else: two images of one version
        could not be told apart.
    """
    try:
        before = read_lock(card.folder)
    except CardError:
        return {}
    known = before.image(image.name) if before is not None else None
    if before is None or known is None or not known.published:
        return {}
    if known.context == image.context:
        return dict(known.published)
    if before.version == card.version:
        raise ConfigurationError(
            f"version {card.version} of {image.name} is published, and was built from other files; "
            "write a new version into model.toml"
        )
    return {}


def record(card: Card, image: str, place: str, digest: str) -> None:
    """Write into a package's lock where one of its images was published."""
    before = read_lock(card.folder) or lock(card)
    entries = [
        replace(one, published={**one.published, place: digest}) if one.name == image else one
        for one in before.images
    ]
    write_lock(card.folder, replace(before, images=tuple(entries)))
