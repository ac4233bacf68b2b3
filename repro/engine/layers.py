"""What is in the layers of an image, as the engine itself would hand it to another."""

from __future__ import annotations

import io
import json
import tarfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from repro.engine.client import answers, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.engine.client import Engine

MANIFEST = "manifest.json"
BUFFER = 2**20  # bytes
REMOVED = ".wh."  # begins the name by which a layer says that a file of another is gone


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file, folder or link in a layer; `path` is absolute."""

    path: str
    uid: int
    gid: int
    mode: int
    folder: bool
    link: bool


def entries(
    engine: Engine, image: str, wanted: Callable[[Entry], bool], *, skip: int = 0
) -> list[Entry]:
    """List what the layers of an image have, as far as it is wanted.

    The image is read once, as a stream; nothing of it is kept on disk.

    Parameters
    ----------
    engine : Engine
        Who has it.
    image : str
        Its name or id.
    wanted : callable
        Says of an entry whether it is to be listed.
    skip : int
        How many of the first layers, those of a parent, are passed over.
    """
    found: dict[str, list[Entry]] = {}
    order: list[str] = []
    with translated(engine.address):
        pieces = engine.api.get_image(image)
    stream = io.BufferedReader(_Stream(answers(engine.address, pieces)), BUFFER)
    with tarfile.open(fileobj=stream, mode="r|", bufsize=BUFFER) as saved:
        for member in saved:
            content = saved.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            if member.name == MANIFEST:
                order = json.loads(content.read())[0]["Layers"]
            elif not member.name.endswith(".json"):
                with suppress(tarfile.ReadError):  # what describes the layers is no tar
                    found[member.name] = list(filter(wanted, _entries(content)))
    return [entry for layer in order[skip:] for entry in found.get(layer, ())]


def count(engine: Engine, image: str) -> int:
    """Count the layers of an image."""
    with translated(engine.address):
        about = engine.api.inspect_image(image)
    return len(about["RootFS"].get("Layers") or ())


def _entries(layer: IO[bytes]) -> Iterator[Entry]:
    with tarfile.open(fileobj=layer, mode="r|*", bufsize=BUFFER) as tar:
        for member in tar:
            if member.name.rpartition("/")[2].startswith(REMOVED):
                continue
            yield Entry(
                path="/" + member.name.removeprefix("./").strip("/"),
                uid=member.uid,
                gid=member.gid,
                mode=member.mode,
                folder=member.isdir(),
                link=member.issym() or member.islnk(),
            )


class _Stream(io.RawIOBase):
    """A file of an iterator of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
