"""The frames of an attached container: 8 bytes of header, then what its program wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

STDOUT, STDERR = 1, 2
HEADER = 8  # bytes: the stream, three zeros, the length


class Readable(Protocol):
    """What can be read, such as a raw socket."""

    def read(self, size: int, /) -> bytes | None:
        """Read at most `size` bytes; nothing at the end."""
        ...


def frames(source: Readable) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, bytes) until the end; stream 1 is standard output, 2 standard error."""
    while header := _exactly(source, HEADER):
        payload = _exactly(source, int.from_bytes(header[4:], "big"))
        yield header[0], payload


class Demultiplexer:
    """Takes the same frames apart, piece by piece as they arrive."""

    def __init__(self) -> None:
        self._begun = bytearray()  # a header that is not whole yet
        self._stream = self._missing = 0  # what is missing of the frame that is being read

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (stream, bytes) of what has arrived, whole frames or not."""
        start, end = 0, len(data)
        if not self._missing and not self._begun and end > HEADER:
            size = int.from_bytes(data[4:HEADER], "big")
            if size == end - HEADER:  # just one, as of a short answer
                yield data[0], data[HEADER:]
                return
        while start < end:
            if self._missing:
                piece = data[start : start + self._missing]
                start += len(piece)
                self._missing -= len(piece)
                yield self._stream, piece
                continue
            header = data[start : start + HEADER - len(self._begun)]
            start += len(header)
            self._begun += header
            if len(self._begun) == HEADER:
                self._stream = self._begun[0]
                self._missing = int.from_bytes(self._begun[4:], "big")
                self._begun.clear()


class Lines:
    """Puts pieces together to lines."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0  # bytes of the line that has begun

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield each line that ends in a piece, without its end."""
        first, *rest = piece.split(b"\n")
        self._begin(first)
        for following in rest:
            line = self.rest()
            self._begin(following)
            yield line

    def rest(self) -> bytes:
        """Take the line that has begun, as if it had ended."""
        line = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return line

    def cut(self, limit: int) -> None:
        """Forget what a line has beyond a limit."""
        if self.size > limit:
            self._pieces = [b"".join(self._pieces)[:limit]]
            self.size = limit

    def _begin(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self.size += len(piece)


def _exactly(source: Readable, size: int) -> bytes:
    """Read `size` bytes; fewer only at the end."""
    pieces = bytearray()
    while len(pieces) < size:
        piece = source.read(size - len(pieces))
        if not piece:
            break
        pieces += piece
    return bytes(pieces)
