"""The frames of an attached container: 8 bytes of header, then what its program wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Readable(Protocol):
    """What can be read, such as a raw socket."""

    def read(self, size: int, /) -> bytes | None:
        """Read at most `size` bytes; nothing at the end."""
        ...


def frames(source: Readable) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, bytes) until the end; stream 1 is standard output, 2 standard error."""
    while header := _exactly(source, 8):
        payload = _exactly(source, int.from_bytes(header[4:8], "big"))
        yield header[0], payload


def _exactly(source: Readable, size: int) -> bytes:
    """Read `size` bytes; fewer only at the end."""
    pieces = bytearray()
    while len(pieces) < size:
        piece = source.read(size - len(pieces))
        if not piece:
            break
        pieces += piece
    return bytes(pieces)
