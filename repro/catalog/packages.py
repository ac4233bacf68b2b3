"""Where the packages are: our own and those of other distributions, found in the same way.

An entry point of the group `repro.models` names a Python package. It is a package of models if a
card lies in its folder; otherwise it is a collection of them, one in each folder that has a card.
Ours is the collection `repro.models`, whose cards lie apart from its classes. Nothing is imported
to find them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from repro.catalog.entry_points import declared
from repro.catalog.places import models_root
from repro.errors import CardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    OnError = Callable[[CardError], object]

OURS = "repro.models"
CARD = "model.toml"


class Place(NamedTuple):
    """Where one package is: the card and what its image is made of, and what has its classes."""

    folder: Path
    module: str

    @property
    def package(self) -> str:
        """The package's name."""
        return self.folder.name

    @property
    def card(self) -> Path:
        """Its card."""
        return self.folder / CARD


class Collection(NamedTuple):
    """A folder of packages, whose modules are below `module`, or at the top where that is empty.

    `names` are the packages that count, None if all that have a card do.
    """

    root: Path
    module: str
    names: tuple[str, ...] | None = None

    def place(self, package: str) -> Place:
        """Say where one of its packages is."""
        module = f"{self.module}.{package}" if self.module else package
        return Place(self.root / package, module)

    def cards(self) -> Mapping[str, os.stat_result | None]:
        """Look at the card of each package, sorted, without opening it.

        None of one that may not be looked at: who reads it is told why.
        """
        found: dict[str, os.stat_result | None] = {}
        for name in sorted(self._folders() if self.names is None else self.names):
            card = f"{self.root}/{name}/{CARD}"  # a Path costs as much as all the rest
            try:
                found[name] = os.stat(card)  # noqa: PTH116
            except (FileNotFoundError, NotADirectoryError):  # none there, or a file beside packages
                if os.path.islink(card):  # noqa: PTH114
                    found[name] = None
            except OSError:
                if name.isidentifier():  # and no lost+found
                    found[name] = None
        return found

    def _folders(self) -> list[str]:
        with os.scandir(self.root) as entries:
            return [entry.name for entry in entries]


def ours() -> Collection:
    """Name our own packages; they are there also where `repro` was never installed."""
    return Collection(models_root(), OURS)


def collections(
    on_error: OnError,
) -> Iterator[tuple[Collection, Mapping[str, os.stat_result | None]]]:
    """Find all packages, by the folders that they are in; ours come first.

    Of two packages of one name the first counts. What is wrong with another, or with an entry
    point, is told to `on_error`.
    """
    taken: dict[str, Path] = {}
    for collection in (ours(), *_of_others(on_error)):
        cards = {}
        try:
            found = collection.cards()
        except OSError as error:
            problem = error.strerror or str(error)
            on_error(CardError(str(collection.root), "the folder", problem))
            continue
        for package, status in found.items():
            first = taken.setdefault(package, collection.root)
            if first == collection.root:
                cards[package] = status
                continue
            problem = f"that in {collection.root} is left out, as there is one in {first}"
            on_error(CardError(f"{package}/{CARD}", "the package's name", problem, "rename it"))
        yield collection, cards


def places(on_error: OnError = lambda _: None) -> Iterator[Place]:
    """Find every package that counts, whatever is wrong with others."""
    for collection, cards in collections(on_error):
        yield from map(collection.place, cards)


def find_place(package: str) -> Place | None:
    """Find a package that has a card; None if there is none of that name."""
    place = ours().place(package)
    if os.path.isfile(place.card):  # noqa: PTH113  a Path raises where it may not look
        return place
    return next((place for place in places() if place.package == package), None)


def _of_others(on_error: OnError) -> Iterator[Collection]:
    """Find the collections of others; packages side by side are one."""
    single: dict[tuple[Path, str], list[str]] = {}
    for module, distribution in declared():
        folder = None if module == OURS else _folder(module)
        if folder is not None and (folder / CARD).is_file():
            single.setdefault((folder.parent, module.rpartition(".")[0]), []).append(folder.name)
        elif folder is not None:
            yield Collection(folder, module)
        elif module != OURS:
            problem = "there is no model.toml in its folder, nor in one below"
            remedy = f"{distribution} has to be packed with it, or uninstalled"
            on_error(CardError(distribution, f"the entry point {module!r}", problem, remedy))
    for (root, module), names in single.items():
        yield Collection(root, module, tuple(names))


def _folder(module: str) -> Path | None:
    """Find the folder of a Python package with a card in it or below, without importing it."""
    from importlib.util import find_spec

    top, *below = module.split(".")
    if not all(name.isidentifier() for name in (top, *below)):
        return None
    try:
        spec = find_spec(top)
    except (ImportError, ValueError, AttributeError):  # what a finder of an editable install raises
        return None
    for location in (spec and spec.submodule_search_locations) or ():
        folder = Path(location, *below)
        cards = (next(folder.glob(pattern), None) for pattern in (CARD, f"*/{CARD}"))
        if folder.name == (top, *below)[-1] and any(cards):
            return folder
    return None
