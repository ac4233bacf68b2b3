"""Lines that wait on disk."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from repro.common.io import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

PIECE = 2**20  # bytes that are written or read at once


class Spool:
    """A temporary file of lines, which may be read as often as one likes.

    Use it as a context manager. A full disk is a `DiskFull` that names the folder.
    """

    def __init__(self) -> None:
        with translated(tempfile.gettempdir()):
            self._file = tempfile.TemporaryFile(prefix="repro-rows-", buffering=0)  # noqa: SIM115
        self._held: list[bytes] = []
        self._size = 0
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, line: bytes) -> None:
        """Add a line, given without its end."""
        self._held += (line, b"\n")
        self._size += len(line)
        self.count += 1
        if self._size > PIECE:
            self._write()

    def pieces(self) -> Iterator[bytes]:
        """Yield all that was added until now, in pieces that know nothing of lines."""
        self._write()
        offset, end = 0, self._file.tell()
        while offset < end:
            piece = os.pread(self._file.fileno(), min(PIECE, end - offset), offset)
            offset += len(piece)
            yield piece

    def lines(self) -> Iterator[bytes]:
        """Yield each line that was added until now, without its end."""
        begun: list[bytes] = []
        for piece in self.pieces():
            first, *others = piece.split(b"\n")
            begun.append(first)
            for other in others:
                yield b"".join(begun)
                begun = [other]

    def _write(self) -> None:
        rest = memoryview(b"".join(self._held))
        self._held, self._size = [], 0
        with translated(tempfile.gettempdir()):
            while rest:
                rest = rest[self._file.write(rest) :]
