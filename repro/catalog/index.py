"""An index of the cards, so that a list or a name does not cost the reading of every card.

It is a file of two lines of JSON in the user's cache, one file for each folder of packages. What it
says of a card holds while the card's file is the same by size, time and inode. It is only ever a
shortcut: where it cannot be read or written, the cards are read.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from repro import __version__
from repro.catalog.packages import collections
from repro.catalog.places import cache_folder
from repro.errors import CardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import TypeAlias

    from repro.catalog.entry import Models
    from repro.catalog.packages import Collection, Place

    Stamp: TypeAlias = list[int]  # size, time of the last change in ns, inode

FORMAT = 2  # a new one for another content
TICK = 100_000_000  # ns; a file system may tell two changes apart only if they lie further apart


def read_models(
    on_error: Callable[[CardError], None] | None = None,
) -> Iterator[tuple[Place, Models]]:
    """Yield what the card of each package says of its models: ours sorted, then those of others.

    Only cards that are new or changed are read, when it is their turn.

    Parameters
    ----------
    on_error : callable, optional
        Gets what is wrong with a card that is not right, which is left out then. So is one that
        gives a model the name that one of another package has.

    Raises
    ------
    CardError
        If one of those is not right, and nobody else is told.
    """
    tell = on_error or raise_it
    taken: dict[object, str] = {}
    for collection, cards in collections(tell):
        for place, models in _read_collection(collection, cards, tell):
            names = [entry["model"] for entry, _ in models]
            twice = next((name for name in names if name in taken), None)
            if twice is None:
                taken |= dict.fromkeys(names, place.package)
                yield place, models
            else:
                tell(name_taken(place.package, str(twice), taken[twice]))


def name_taken(package: str, model: str, owner: str) -> CardError:
    """Make an error about a model's name that another package has."""
    problem = f"the package {owner} has a model of that name; this package is left out"
    return CardError(f"{package}/model.toml", f"models.{model}", problem, "rename it")


def raise_it(error: CardError) -> None:
    """Take an error where nobody else is told of it."""
    raise error


def _read_collection(
    collection: Collection,
    cards: Mapping[str, os.stat_result | None],
    tell: Callable[[CardError], None],
) -> Iterator[tuple[Place, Models]]:
    root = collection.root
    known = _load(root)
    stamps = {package: _stamp(status) for package, status in cards.items()}
    held = {package: known[package] for package in stamps if package in known}
    held = {package: entry for package, entry in held.items() if entry[0] == stamps[package]}
    stale = len(held) != len(known)
    try:
        for package, stamp in stamps.items():
            place = collection.place(package)
            if package not in held:
                models = _read(place, tell)
                if models is None:
                    continue
                held[package] = (stamp, models)
                stale = True
            yield place, held[package][1]
    finally:
        if stale:
            _save(root, held)


def _read(place: Place, tell: Callable[[CardError], None]) -> Models | None:
    from repro.catalog.card import read_card
    from repro.catalog.entry import describe

    try:
        return describe(read_card(place.card))
    except CardError as error:
        tell(error)
        return None


def _stamp(status: os.stat_result | None) -> Stamp:
    return [] if status is None else [status.st_size, status.st_mtime_ns, status.st_ino]


def _load(root: Path) -> dict[str, tuple[Stamp, Models]]:
    """Read the index; nothing if there is none, or it is broken or somebody else's."""
    file = _file(root)
    if file is None:
        return {}
    try:
        head, _, body = file.read_bytes().partition(b"\n")
    except OSError:
        return {}
    found: dict[str, tuple[Stamp, Models]] = json.loads(body) if head == _head(root, body) else {}
    return found


def _save(root: Path, held: dict[str, tuple[Stamp, Models]]) -> None:
    """Write the index, if that can be done.

    A card that changed a moment ago is left out: it may change once more without a new time.
    """
    from repro.common.io import whole_file
    from repro.errors import ReproError

    now, file = time.time_ns(), _file(root)
    if file is None:
        return
    settled = {p: entry for p, entry in held.items() if entry[0] and abs(now - entry[0][1]) > TICK}
    body = json.dumps(settled).encode()
    with suppress(OSError, ReproError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as target:
            target.write(_head(root, body) + b"\n" + body)


def _head(root: Path, body: bytes) -> bytes:
    """Say of whom an index is, and what its body must be; a broken or a foreign one differs."""
    return json.dumps([FORMAT, __version__, str(root), zlib.crc32(body)]).encode()


def _file(root: Path) -> Path | None:
    cache = cache_folder()
    return cache and cache / f"index-{zlib.crc32(os.fsencode(root)):08x}.json"
