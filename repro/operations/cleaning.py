"""Remove what nobody needs: leftovers of killed processes, layers of failed builds, old images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.catalog import read_cards
from repro.catalog.packages import CARD
from repro.catalog.suites import SUITES
from repro.common.config import read_config
from repro.common.sizes import format_bytes
from repro.engine import image as images_of
from repro.engine.base import DIGEST_LABEL, base_digest
from repro.engine.client import connect
from repro.engine.context import CONTEXT_LABEL
from repro.engine.leftovers import find_leftovers, sweep
from repro.engine.recipe import PACKAGE_LABEL, matches, recipe_of
from repro.engine.weights import fetched
from repro.errors import ReproError

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.engine.client import Engine
    from repro.engine.recipe import Recipe
    from repro.errors import CardError


def clean(
    *,
    images: bool = False,
    weights: bool = False,
    dry_run: bool = False,
    on_error: Callable[[ReproError], object] = lambda _error: None,
) -> list[str]:
    """Remove leftovers; return what was, or would be, removed.

    Parameters
    ----------
    images : bool
        Remove also images of ours that no package builds any more, and bases of older versions.
    weights : bool
        Remove also the weights that were fetched; images have their own.
    dry_run : bool
        Remove nothing.
    on_error : callable, optional
        Gets what is wrong with a package that cannot be read, whose images stay.
    """
    engine = connect()
    names = [n for n in images_of.names(engine) if n.startswith(images_of.UNFINISHED)]
    if images:
        names += _outdated(engine, on_error)
    removed = find_leftovers(engine) if dry_run else sweep(engine)
    for name in names:
        if not dry_run:
            images_of.remove(engine, name, force=True)
        removed.append(f"image {name}")
    for file in fetched() if weights else ():
        removed.append(f"weights {file.name}, {format_bytes(file.stat().st_size)}")
        if not dry_run:
            file.unlink()
    return removed


def _outdated(engine: Engine, on_error: Callable[[ReproError], object]) -> list[str]:
    """Name the images that carry our labels and are not what a package builds now."""
    current, suites, unread = _current(on_error)
    bases = {base_digest(suite) for suite in suites}
    found = []
    for name, image in images_of.labelled(engine, (PACKAGE_LABEL, DIGEST_LABEL)):
        if PACKAGE_LABEL in image.labels and CONTEXT_LABEL in image.labels:
            recipe = current.get(name)
            outdated = recipe is None or not matches(recipe, image)
            if outdated and image.labels[PACKAGE_LABEL] not in unread:
                found.append(name)
        elif image.labels.get(DIGEST_LABEL) not in bases:
            found.append(name)
    return found


def _current(
    on_error: Callable[[ReproError], object],
) -> tuple[dict[str, Recipe], set[str], set[str]]:
    """Tell what is built now: the recipes by their names, the suites, who cannot be read."""
    recipes: dict[str, Recipe] = {}
    suites: set[str] = set()
    unread: set[str] = set()

    def leave(package: str, error: ReproError) -> None:
        unread.add(package)
        suites.update(SUITES)
        on_error(error)

    def leave_card(error: CardError) -> None:
        package, _, file = error.file.rpartition("/")
        if file != CARD:  # nobody knows whose images are whose
            raise error
        leave(package, error)

    namespace = read_config().namespace
    for card in read_cards(leave_card):
        suites |= {image.base for image in card.images.values()}
        try:
            made = [recipe_of(card, name, namespace=namespace) for name in card.images]
            for recipe in made:
                recipe.digest()  # which reads the files
            recipes |= {recipe.name: recipe for recipe in made}
        except ReproError as error:
            leave(card.package, error)
    return recipes, suites, unread
