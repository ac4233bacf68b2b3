"""Lines that wait in order: in memory as long as they are few, then on disk."""

from __future__ import annotations

import io
import tempfile
from collections import deque
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from repro.common.io import translated

if TYPE_CHECKING:
    from typing_extensions import Self

MEMORY = 2**23  # bytes that wait in memory, before others wait on disk
OVERHEAD = 64  # bytes of memory that an object takes besides what it holds
PIECE = 2**18  # bytes that are written at once
LENGTH = 8  # bytes before each line on disk


class Fifo:
    """A queue of bytes, to which some are added while others are taken; a context manager.

    Memory is bounded. On disk there are two files: one is written while the other is read. When
    that has been read to its end they change places, so the disk holds twice what waits at most.
    """

    def __init__(self) -> None:
        self._memory: deque[bytes] = deque()
        self._size = 0  # bytes in memory
        self._files = ExitStack()
        self._reading: IO[bytes] | None = None
        self._reader: io.BufferedReader | None = None
        self._writing: IO[bytes] | None = None
        self._unread = self._written = 0  # lines in the two files
        self._held: list[bytes] = []  # of what is written: a full disk is told at once, and once
        self._held_size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._memory) + self._unread + self._written

    def close(self) -> None:
        """Forget what waits."""
        self._memory.clear()
        self._held.clear()
        self._size = self._held_size = self._unread = self._written = 0
        self._files.close()
        self._reading = self._writing = self._reader = None

    def put(self, line: bytes) -> None:
        """Add one to the end."""
        if not (self._unread or self._written) and self._size < MEMORY:
            self._memory.append(line)
            self._size += len(line) + OVERHEAD
            return
        self._held += (len(line).to_bytes(LENGTH, "little"), line)
        self._held_size += len(line) + LENGTH
        self._written += 1
        if self._held_size > PIECE:
            self._write()

    def take(self) -> bytes:
        """Take the first one; an IndexError if there is none."""
        if self._memory:
            line = self._memory.popleft()
            self._size -= len(line) + OVERHEAD
            return line
        if not self._unread:
            self._turn()
        if self._reader is None or not self._unread:
            raise IndexError("nothing waits")
        self._unread -= 1
        with translated(tempfile.gettempdir()):
            return self._reader.read(int.from_bytes(self._reader.read(LENGTH), "little"))

    def first(self) -> bytes:
        """Look at the first one, as long as none was taken; an IndexError if there is none."""
        return self._memory[0]

    def _turn(self) -> None:
        """Read what was written, and write over what was read."""
        self._write()
        self._reading, self._writing = self._writing, self._reading
        self._unread, self._written = self._written, 0
        with translated(tempfile.gettempdir()):
            for file in filter(None, (self._reading, self._writing)):
                file.seek(0)
            if self._writing is not None:
                self._writing.truncate()
        if self._reading is not None:
            plain = io.FileIO(self._reading.fileno(), closefd=False)
            self._reader = io.BufferedReader(plain, PIECE)

    def _write(self) -> None:
        rest = memoryview(b"".join(self._held))
        self._held, self._held_size = [], 0
        with translated(tempfile.gettempdir()):
            self._writing = self._writing or self._file()
            while rest:
                rest = rest[self._writing.write(rest) :]

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.TemporaryFile(prefix="repro-rows-", buffering=0))
