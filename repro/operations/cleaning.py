"""Remove what nobody needs: leftovers of killed processes, layers of failed builds, old images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.catalog import read_cards
from repro.common.config import read_config
from repro.common.sizes import format_bytes
from repro.engine import image as images_of
from repro.engine.base import DIGEST_LABEL, base_digest
from repro.engine.client import connect
from repro.engine.context import CONTEXT_LABEL
from repro.engine.leftovers import find_leftovers, sweep
from repro.engine.recipe import PACKAGE_LABEL, matches, recipe_of
from repro.engine.weights import fetched

if TYPE_CHECKING:
    from repro.engine.client import Engine


def clean(*, images: bool = False, weights: bool = False, dry_run: bool = False) -> list[str]:
    """Remove leftovers; return what was, or would be, removed.

    Parameters
    ----------
    images : bool
        Remove also images of ours that no package builds any more, and bases of older versions.
    weights : bool
        Remove also the weights that were fetched; images have their own.
    dry_run : bool
        Remove nothing.
    """
    engine = connect()
    removed = find_leftovers(engine) if dry_run else sweep(engine)
    names = [n for n in images_of.names(engine) if n.startswith(images_of.UNFINISHED)]
    if images:
        names += _outdated(engine)
    for name in names:
        if not dry_run:
            images_of.remove(engine, name, force=True)
        removed.append(f"image {name}")
    for file in fetched() if weights else ():
        removed.append(f"weights {file.name}, {format_bytes(file.stat().st_size)}")
        if not dry_run:
            file.unlink()
    return removed


def _outdated(engine: Engine) -> list[str]:
    """Name the images that carry our labels and are not what a package builds now."""
    namespace = read_config().namespace
    current = [recipe_of(c, n, namespace=namespace) for c in read_cards() for n in c.images]
    by_name = {recipe.name: recipe for recipe in current}
    bases = {base_digest(image.base) for card in read_cards() for image in card.images.values()}
    found = []
    for name, image in images_of.labelled(engine, (PACKAGE_LABEL, DIGEST_LABEL)):
        if PACKAGE_LABEL in image.labels and CONTEXT_LABEL in image.labels:
            recipe = by_name.get(name)
            if recipe is None or not matches(recipe, image):
                found.append(name)
        elif image.labels.get(DIGEST_LABEL) not in bases:
            found.append(name)
    return found
