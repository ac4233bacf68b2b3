"""Kinds of files of rows, told by name or by suffix, and their compression."""

from __future__ import annotations

import gzip
import hashlib
import io
from typing import IO, TYPE_CHECKING, Any, cast

from repro.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from typing_extensions import Buffer

FORMATS = ("jsonl", "csv", "tsv", "text", "parquet")
STREAM = "-"  # standard input or output

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".txt": "text", ".parquet": "parquet"}
_COMPRESSIONS = (".gz", ".zst")
_BEGUN = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}


def format_of(path: str, given: str | None = None) -> str:
    """Tell the format of a file: what was given, else what its suffix says, else JSON lines.

    Raises
    ------
    ConfigurationError
        If the given one is none, or the file is Parquet within a compression.
    """
    found = _named(path, given)
    if found == "parquet" and (suffix := compression_of(path)):
        raise ConfigurationError(f"{path}: Parquet is compressed within; leave out {suffix}")
    return found


def _named(path: str, given: str | None) -> str:
    if given is not None:
        if given not in FORMATS:
            known = ", ".join(FORMATS)
            raise ConfigurationError(
                f"{given!r} is no format of rows{nearest(given, FORMATS)}; there are: {known}"
            )
        return given
    bare = path.lower().removesuffix(compression_of(path))
    return next((name for suffix, name in _SUFFIXES.items() if bare.endswith(suffix)), "jsonl")


def compression_of(path: str) -> str:
    """Tell the suffix of a file's compression; empty if it has none."""
    return next((suffix for suffix in _COMPRESSIONS if path.lower().endswith(suffix)), "")


def decompressed(file: io.BufferedReader[Any], path: str) -> IO[bytes]:
    """Read a file through its compression, which it tells itself where its name does not."""
    match compression_of(path) or _compression_in(file):
        case ".gz":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
        case ".zst":
            return cast("IO[bytes]", io.BufferedReader(_Zstandard(file), 2**18))
        case _:
            return cast("IO[bytes]", file)


def _compression_in(file: io.BufferedReader[Any]) -> str:
    """Tell the compression by how a file begins, which no row does."""
    begun = file.peek(max(map(len, _BEGUN)))
    return next((suffix for magic, suffix in _BEGUN.items() if begun.startswith(magic)), "")


def compressed(file: IO[bytes], path: str) -> IO[bytes]:
    """Write a file through its compression; the same rows give the same bytes."""
    match compression_of(path):
        case ".gz":
            return cast("IO[bytes]", gzip.GzipFile("", "wb", fileobj=file, mtime=0))
        case ".zst":
            return cast(
                "IO[bytes]", _zstandard().ZstdCompressor().stream_writer(file, closefd=False)
            )
        case _:
            return file


class Hashed(io.RawIOBase):
    """A binary file that hashes what passes through it; closing it leaves the file open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of all bytes so far, in hexadecimal."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        """Whether it can be read."""
        return self._file.readable()

    def writable(self) -> bool:
        """Whether it can be written."""
        return self._file.writable()

    def readinto(self, buffer: Buffer) -> int:
        """Read into a buffer; return how much."""
        view = memoryview(buffer)
        read = getattr(self._file, "read1", self._file.read)  # of a pipe: what there is by now
        piece = read(len(view))
        view[: len(piece)] = piece
        self._digest.update(piece)
        return len(piece)

    def write(self, piece: Buffer) -> int:
        """Write all of it."""
        self._digest.update(piece)
        return self._file.write(piece)


class _Zstandard(io.RawIOBase):
    """What a file of Zstandard frames holds.

    The library's own reader takes a file that is cut off for a shorter one.
    """

    _PIECE = 2**12  # bytes; they may become thousands of times as many

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decompressor = _zstandard().ZstdDecompressor()
        self._frame: Any = None
        self._compressed, self._held = b"", memoryview(b"")

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Read into a buffer; return how much."""
        while not self._held and self._feed():
            pass
        view = memoryview(buffer)
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def _feed(self) -> bool:
        piece = self._compressed or self._file.read(self._PIECE)
        if not piece:
            if self._frame is not None and not self._frame.eof:
                raise EOFError("it ends in the middle of a frame")
            return False
        if self._frame is None or self._frame.eof:
            self._frame = self._decompressor.decompressobj()
        self._held = memoryview(self._frame.decompress(piece))
        self._compressed = self._frame.unused_data if self._frame.eof else b""
        return True


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise missing("Zstandard files", "zst") from error
    return zstandard


def missing(what: str, extra: str) -> ConfigurationError:
    """Say which extra to install."""
    return ConfigurationError(f"{what} need an extra: pip install 'repro-models[{extra}]'")
