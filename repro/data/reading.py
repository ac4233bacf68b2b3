"""Read files of rows, one row at a time, whatever their format."""

from __future__ import annotations

import csv
import io
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from repro.common.io import lines_of, read_json_lines, translated
from repro.common.jsonlines import MAX_ROW
from repro.data.formats import STREAM, Hashed, decompressed, format_of, missing
from repro.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]
DIALECTS = {"csv": "excel", "tsv": "excel-tab"}


class RowFile:
    """A file of rows, open for reading; a context manager.

    Parameters
    ----------
    path : str
        The file; ``"-"`` is standard input.
    given : str, optional
        Its format, if its suffix does not tell.
    text_field : str
        The field that a line of a text file is.
    """

    def __init__(self, path: str, given: str | None = None, text_field: str = "text") -> None:
        self.path, self.text_field = path, text_field
        self.format = format_of(path, given)

    @property
    def untyped(self) -> bool:
        """Whether its values are all strings, as they are in tables of text."""
        return self.format in DIALECTS

    @contextmanager
    def open(self) -> Iterator[tuple[Iterator[Row], Hashed]]:
        """Open it: the rows, and what hashes the file's bytes as they are read."""
        with self._binary() as file:
            hashed = Hashed(file)
            if self.format == "parquet":
                yield self._parquet(hashed), hashed
                return
            buffered = io.BufferedReader(hashed, 2**18)
            yield self._read(decompressed(buffered, self.path)), hashed

    @contextmanager
    def _binary(self) -> Iterator[IO[bytes]]:
        if self.path == STREAM:
            yield sys.stdin.buffer
            return
        with translated(self.path):
            file = Path(self.path).open("rb")  # noqa: SIM115  closed below
        with file:
            yield file

    def _read(self, file: IO[bytes]) -> Iterator[Row]:
        rows = {"jsonl": self._json, "text": self._text}.get(self.format, self._table)
        try:
            with translated(self.path):
                yield from rows(file)
        except _broken() as error:
            raise DataFileError(self.path, f"cannot be decompressed: {error}") from error

    def _json(self, file: IO[bytes]) -> Iterator[Row]:
        for row in read_json_lines(file, self.path):
            yield cast("Row", row)

    def _text(self, file: IO[bytes]) -> Iterator[Row]:
        for text in self._decoded(file):
            yield {self.text_field: text.rstrip("\r\n")}

    def _decoded(self, file: IO[bytes]) -> Iterator[str]:
        """Decode the lines, which end in a line feed."""
        for number, line in enumerate(lines_of(file), start=1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DataFileError(self.path, f"is not UTF-8: {error.reason}", number) from None

    def _table(self, file: IO[bytes]) -> Iterator[Row]:
        csv.field_size_limit(MAX_ROW)
        reader = csv.reader(self._decoded(file), DIALECTS[self.format], strict=True)
        try:
            columns = next(reader, [])
            if len(set(columns)) != len(columns):
                raise DataFileError(self.path, "has two columns of one name", 1)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(columns):
                    problem = f"has {len(cells)} cells, the header has {len(columns)}"
                    raise DataFileError(self.path, problem, reader.line_num)
                yield dict(zip(columns, cells, strict=True))
        except csv.Error as error:
            raise DataFileError(
                self.path, f"is no {self.format}: {error}", reader.line_num
            ) from None

    def _parquet(self, hashed: Hashed) -> Iterator[Row]:
        """Read a file whose end comes first; its bytes are hashed before."""
        try:
            from pyarrow import ArrowException
            from pyarrow.parquet import ParquetFile
        except ImportError as error:
            raise missing("Parquet files", "parquet") from error
        if self.path == STREAM:
            raise DataFileError(self.path, "Parquet cannot be read from a stream; name a file")
        while hashed.read(2**20):
            pass
        try:
            for batch in ParquetFile(self.path).iter_batches(batch_size=1024):
                yield from batch.to_pylist()
        except ArrowException as error:
            raise DataFileError(self.path, f"is no Parquet: {error}") from error


def _broken() -> tuple[type[Exception], ...]:
    """Name what the decompressors raise about a file that is cut off, or is none of theirs."""
    import zlib

    zstandard = sys.modules.get("zstandard")
    return (EOFError, zlib.error, *((zstandard.ZstdError,) if zstandard is not None else ()))
