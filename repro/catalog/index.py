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
from repro.catalog.places import cache_folder, models_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from repro.common.jsonlines import JSON
    from repro.errors import CardError

    Stamp: TypeAlias = list[int]  # size, time of the last change in ns, inode
    Entry: TypeAlias = dict[str, JSON]  # a model's line, see repro.catalog.listing
    Models: TypeAlias = list[tuple[Entry, str]]  # and the text that a search looks at

FORMAT = 2  # a new one for another content
TICK = 100_000_000  # ns; a file system may tell two changes apart only if they lie further apart


def read_models(
    on_error: Callable[[CardError], None] | None = None,
) -> Iterator[tuple[str, Models]]:
    """Yield what the card of each package says of its models, sorted by package.

    Only cards that are new or changed are read, when it is their turn.

    Parameters
    ----------
    on_error : callable, optional
        Gets what is wrong with a card that is not right, which is left out then.

    Raises
    ------
    CardError
        If one of those is not right, and nobody else is told.
    """
    root = models_root()
    known = _load(root)
    stamps = _stamps(root)
    held = {package: known[package] for package in stamps if package in known}
    held = {package: entry for package, entry in held.items() if entry[0] == stamps[package]}
    stale = len(held) != len(known)
    try:
        for package, stamp in stamps.items():
            if package not in held:
                models = _read(root / package / "model.toml", on_error)
                if models is None:
                    continue
                held[package] = (stamp, models)
                stale = True
            yield package, held[package][1]
    finally:
        if stale:
            _save(root, held)


def _read(file: Path, on_error: Callable[[CardError], None] | None) -> Models | None:
    from repro.catalog.card import read_card
    from repro.catalog.listing import describe
    from repro.errors import CardError

    try:
        return describe(read_card(file))
    except CardError as error:
        if on_error is None:
            raise
        on_error(error)
        return None


def _stamps(root: Path) -> dict[str, Stamp]:
    """Look at every card, without opening it."""
    found = {}
    with os.scandir(root) as folders:
        for folder in sorted(folders, key=lambda one: one.name):
            with suppress(OSError):  # no card there, or a file beside the packages
                status = os.stat(f"{folder.path}/model.toml")  # noqa: PTH116  a Path costs as much
                found[folder.name] = [status.st_size, status.st_mtime_ns, status.st_ino]
    return found


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
    settled = {p: entry for p, entry in held.items() if abs(now - entry[0][1]) > TICK}
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
