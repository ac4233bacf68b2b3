"""Write files of rows, one at a time, in any format; they appear whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from repro.common.io import translated, whole_file
from repro.common.jsonlines import JSONRuleError, encode
from repro.data.fifo import Fifo
from repro.data.formats import STREAM, Hashed, compressed, format_of, missing
from repro.data.reading import DIALECTS
from repro.errors import DataFileError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = dict[str, Any]
PARQUET_BATCH = 1024  # rows
NO_ERROR = {"type": None, "message": None}


class Writer(Protocol):
    """What takes rows."""

    count: int

    def write(self, row: Row) -> None:
        """Write one row; refuse what the format cannot hold."""
        ...

    def close(self) -> None:
        """Write what is still held back."""
        ...

    def abandon(self) -> None:
        """Let go of the file, which will not be there."""
        ...


class RowTarget:
    """A file of rows to be written.

    Parameters
    ----------
    path : str
        The file; ``"-"`` is standard output.
    given : str, optional
        Its format, if its suffix does not tell.
    allow_nan : bool
        Write NaN and infinities where the format is JSON.
    failures : bool
        Have columns for rows with an ``error`` instead of a ``prediction``, where the format has
        columns.
    """

    def __init__(
        self,
        path: str,
        given: str | None = None,
        *,
        allow_nan: bool = False,
        failures: bool = False,
    ) -> None:
        self.path, self.allow_nan, self.failures = path, allow_nan, failures
        self.format = format_of(path, given)
        self.sha256 = ""

    @contextmanager
    def open(self, file: IO[bytes] | None = None) -> Iterator[Writer]:
        """Open it, or write to a file that is open; what hashes it is known at the end."""
        with self._binary() if file is None else nullcontext(file) as file:  # noqa: PLR1704
            hashed = cast("Any", Hashed(file))
            stream = compressed(hashed, self.path)
            writer = self._writer(stream)
            try:
                yield writer
                with translated(self.path):
                    writer.close()
            except BaseException:
                writer.abandon()
                raise
            with translated(self.path):
                if stream is not hashed:
                    stream.close()
                if self.path == STREAM:
                    file.flush()
            self.sha256 = hashed.sha256

    @contextmanager
    def _binary(self) -> Iterator[IO[bytes]]:
        if self.path == STREAM:
            yield sys.stdout.buffer
        else:
            with whole_file(self.path) as file:
                yield file

    def _writer(self, file: IO[bytes]) -> Writer:
        match self.format:
            case "csv" | "tsv":
                return _Table(self, file)
            case "text":
                return _Text(self, file)
            case "parquet":
                return _Parquet(self, file)
            case _:
                return _Lines(self, file)


class _Lines:
    """JSON lines; the base of the others, as what is no JSON is refused by all."""

    def __init__(self, target: RowTarget, file: IO[bytes]) -> None:
        self._file, self._path, self._allow_nan = file, target.path, target.allow_nan
        self._failures = target.failures
        self._held = Fifo()  # failures before the first prediction, which decides the columns
        self.count = 0

    def write(self, row: Row) -> None:
        self._put(self._encoded(row) + b"\n")
        self.count += 1

    def close(self) -> None:
        """Nothing is held back."""

    def abandon(self) -> None:
        """Let go of what is held."""
        self._held.close()

    def _encoded(self, row: Row) -> bytes:
        try:
            return encode(row, ascii_only=False, allow_nan=self._allow_nan, wrapping=1)
        except JSONRuleError as error:
            raise self._refused(row, str(error)) from None

    def _put(self, line: bytes) -> None:
        try:
            self._file.write(line)
        except OSError:  # a context manager for each row would cost more than the row
            with translated(self._path):
                raise

    def _refused(self, row: Row, problem: str) -> OutputError:
        return OutputError(row["model_id"], f"the prediction {problem}", self.count)


class _Text(_Lines):
    def write(self, row: Row) -> None:
        self._encoded(row)
        text = row.get("prediction")
        if not isinstance(text, str) or "\n" in text or "\r" in text:
            problem = "is not one line of text; write another format, such as jsonl"
            raise self._refused(row, problem)
        self._put(text.encode() + b"\n")
        self.count += 1


class _Table(_Lines):
    """CSV or TSV: what is nested becomes columns with dotted names, an array becomes JSON.

    Where failures are written there are ``error.type`` and ``error.message``, empty beside a
    prediction, as the columns of the prediction are beside an error.
    """

    def __init__(self, target: RowTarget, file: IO[bytes]) -> None:
        super().__init__(target, file)
        self._dialect = DIALECTS[target.format]
        self._columns: list[str] | None = None

    def write(self, row: Row) -> None:
        self._encoded(row)
        cells = self._cells({**row, "error": row.get("error", NO_ERROR)} if self._failures else row)
        if self._columns is None:
            if "error" in row:
                self._held.put(json.dumps(cells).encode())
                self.count += 1
                return
            self._begin(list(cells))
        self._put_cells(row, cells)
        self.count += 1

    def close(self) -> None:
        if self._held:  # nothing was predicted
            *head, kind, message = json.loads(self._held.first())
            self._begin([*head, "prediction", kind, message])

    def _begin(self, columns: list[str]) -> None:
        self._columns = columns
        self._put(self._line(columns))
        while self._held:
            cells = json.loads(self._held.take())
            self._put(self._line([cells.get(column, "") for column in columns]))
        self._held.close()

    def _put_cells(self, row: Row, cells: dict[str, str]) -> None:
        columns = self._columns or []
        if "error" in row:
            cells |= {c: "" for c in columns if c.split(".")[0] == "prediction"}
        if other := sorted(set(cells) ^ set(columns)):
            problem = f"has other columns than the first one: {', '.join(other)}"
            raise self._refused(row, f"{problem}; write jsonl instead")
        self._put(self._line([cells[column] for column in columns]))

    def _cells(self, row: Row) -> dict[str, str]:
        cells: dict[str, str] = {}
        for column, cell in _flat(row):
            if column in cells:
                problem = f"has two values for the column {column}; write jsonl instead"
                raise self._refused(row, problem)
            cells[column] = cell
        return cells

    def _line(self, cells: list[str]) -> bytes:
        text = io.StringIO()
        # Only characters of the end of a line are quoted in every Python: \r must be one of them.
        csv.writer(text, self._dialect, lineterminator="\r\n").writerow(cells)
        return text.getvalue().removesuffix("\r\n").encode() + b"\n"


class _Parquet(_Lines):
    def __init__(self, target: RowTarget, file: IO[bytes]) -> None:
        super().__init__(target, file)
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise missing("Parquet files", "parquet") from error
        self._arrow, self._parquet = pyarrow, pyarrow.parquet
        self._rows: list[Row] = []
        self._writer: Any = None

    def write(self, row: Row) -> None:
        self._encoded(row)
        if self._failures:
            row = {**row, "prediction": row.get("prediction"), "error": row.get("error")}
        self._rows.append(row)
        self.count += 1
        if len(self._rows) == PARQUET_BATCH:
            self._flush()

    def close(self) -> None:
        self._flush(last=True)
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        super().abandon()
        if self._writer is not None:
            with suppress(Exception):  # the library's own, or the disk's
                self._writer.close()

    def _flush(self, *, last: bool = False) -> None:
        if not self._rows and self._writer is not None:
            return
        if self._writer is None and not last and all(row.get("error") for row in self._rows):
            for row in self._rows:
                self._held.put(encode(row, wrapping=1))
            self._rows.clear()
            return
        if not self._rows:  # all have failed
            self._rows = self._taken()
        try:
            batch = self._arrow.Table.from_pylist(self._rows)
            if self._writer is None:
                batch = self._begun(batch)
            elif batch.schema != self._writer.schema:
                batch = self._fitted(batch.schema)
        except self._arrow.ArrowException as error:
            raise DataFileError(self._path, f"Parquet cannot hold these rows: {error}") from error
        self._writer.write_table(batch)
        self._rows.clear()

    def _begun(self, batch: Any) -> Any:
        """Take the columns of the first batch, and write the failures before it."""
        schema = batch.schema
        if self._failures and "error" in schema.names:
            text = self._arrow.string()
            error = self._arrow.field("error", self._arrow.struct({"type": text, "message": text}))
            schema = schema.set(schema.get_field_index("error"), error)
        self._writer = self._parquet.ParquetWriter(self._file, schema)
        while self._held:
            rows = self._taken()
            self._writer.write_table(self._arrow.Table.from_pylist(rows, schema=schema))
        return self._arrow.Table.from_pylist(self._rows, schema=schema)

    def _taken(self) -> list[Row]:
        """Take some of the rows that were held back."""
        count = min(len(self._held), PARQUET_BATCH)
        return [json.loads(self._held.take()) for _ in range(count)]

    def _fitted(self, found: Any) -> Any:
        """Make a batch of the first one's columns, if they hold what was found."""
        schema = self._writer.schema
        both = self._arrow.unify_schemas([schema, found], promote_options="permissive")
        if both != schema:
            raise DataFileError(
                self._path,
                f"Parquet cannot hold these rows: {found} came after {schema}; write jsonl instead",
            )
        return self._arrow.Table.from_pylist(self._rows, schema=schema)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (column, cell) of what may be nested."""
    if isinstance(value, dict) and (value or not name):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, str):
        yield name, value
    else:
        yield name, "" if value is None else json.dumps(value, ensure_ascii=False)
