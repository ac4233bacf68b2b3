"""The instances of a run: read from wherever they are, chosen, and remembered for the output."""

from __future__ import annotations

import inspect
import json
import os
import re
import stat
import sys
from collections import deque
from contextlib import ExitStack, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from repro.common.io import translated
from repro.common.jsonlines import JSONRuleError, encode
from repro.data.fifo import Fifo
from repro.data.formats import STREAM
from repro.data.reading import RowFile
from repro.errors import ConfigurationError, InstanceError, nearest
from repro.models.schema import INSTANCE_ID, takes_strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from repro.common.jsonlines import JSON
    from repro.data.formats import Hashed
    from repro.models.schema import Field, Schema
    from repro.operations.job import PredictionJob

Row = dict[str, Any]
_Made = TypeVar("_Made")
AHEAD, AHEAD_BYTES = 10_000, 2**24  # of files: what is checked before anything is started


class Source:
    """The chosen instances as they are read; what the output repeats of them waits for it.

    Parameters
    ----------
    job : PredictionJob
        Where they are, and which of them.
    schema : Schema
        What the model takes: cells of tables of text are read accordingly.
    whole : bool
        Whether the output repeats them whole, or their ids only.
    """

    def __init__(self, job: PredictionJob, schema: Schema, *, whole: bool = False) -> None:
        self._job, self._schema, self.whole = job, schema, whole
        self._stack = ExitStack()
        self._hashes: list[tuple[str, Hashed]] = []
        self._heads = self._stack.enter_context(Fifo())
        self._folder = ""  # of the file that is read
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def record(self) -> list[dict[str, Any]] | dict[str, Any]:
        """Say what was read."""
        if not self._hashes:
            named = self._job.dataset or self._job.inputs
            return {"path": list(named), "rows": self.count}
        files = [{"path": path, "sha256": hashed.sha256} for path, hashed in self._hashes]
        return {**files[0], "rows": self.count} if len(files) == 1 else files

    def instances(self) -> Iterator[Row]:
        """Yield the chosen instances, each with its id."""
        put, head = self._heads.put, self._whole_head if self.whole else self._id
        for row in self._job.selection.choose(self._job.model, self._rows()):
            put(head(row))
            self.count += 1
            yield self._schema.located(row, self._folder)

    def checked_ahead(self) -> Iterator[Row]:
        """Find the files and check the first instances now; yield all of them.

        So what is wrong with them is told before anything is started. A stream may be slow, and
        whoever writes it may wait for answers: of one, a single row is read.

        Raises
        ------
        DataFileError, InstanceError
            About what is not right.
        """
        if self._job.dataset is None and self._job.reader is None:
            for path in self._job.inputs:
                if path != STREAM:
                    with translated(path):
                        os.stat(path)  # noqa: PTH116  the path stays as it was given
        rows = self.instances()
        first: deque[Row] = deque()
        size = 0
        for row in islice(rows, AHEAD if all(map(_is_file, self._job.inputs)) else 1):
            self._schema.instance(row, len(first))
            first.append(row)
            size += len(str(row))
            if size > AHEAD_BYTES:
                break
        return chain(_taken(first), rows)

    def head(self) -> Row:
        """Take what the output repeats of the next instance.

        They come in their order, each once; an instance's when it has been read.
        """
        line = self._heads.take()
        if not self.whole:
            return {"instance_id": line.decode(), "model_id": self._job.model}
        identity, instance = json.loads(line)
        return {"instance_id": identity, "model_id": self._job.model, "input": instance}

    def _id(self, row: Row) -> bytes:
        try:
            return cast("str", row[INSTANCE_ID]).encode()
        except UnicodeEncodeError:
            return self._whole_head(row)  # which says what is wrong

    def _whole_head(self, row: Row) -> bytes:
        kept = {name: value for name, value in row.items() if name != INSTANCE_ID}
        try:
            return encode([row[INSTANCE_ID], kept], wrapping=1)
        except JSONRuleError as error:
            raise InstanceError(self._job.model, self.count, "", f"it {error}") from None

    def _rows(self) -> Iterator[Row]:
        job = self._job
        if job.dataset is not None or job.reader is not None:
            yield from self._read_as_the_ancestor()
            return
        for path in job.inputs:
            file = RowFile(path, job.input_format, self._text_field())
            rows, hashed = self._stack.enter_context(file.open())
            self._hashes.append((path, hashed))
            stream = path == STREAM or path.startswith(("/dev/", "/proc/"))  # such as <(command)
            self._folder = "" if stream else os.path.dirname(path)  # noqa: PTH120
            for row in rows:
                yield self._typed(row) if file.untyped else row

    def _read_as_the_ancestor(self) -> Iterator[Row]:
        from repro.data.dataset_readers import DatasetReader

        job = self._job
        if job.dataset is not None:
            name, split = job.dataset
            reader = DatasetReader.by_name("huggingface-datasets")(name, split)
            yield from reader.read()
        else:
            named = DatasetReader.by_name(job.reader or "")
            chosen = made(f"the reader {job.reader}", named, job.reader_options)
            yield from chosen.read(*job.inputs)

    def _text_field(self) -> str:
        """Name the field that a line of plain text is."""
        fields = self._schema.fields.values()
        texts = [one.name for one in fields if takes_strings(one.type)]
        needed = [one.name for one in fields if one.required]
        if len(texts) != 1 and len(needed) != 1:
            if self._job.input_format == "text":
                raise ConfigurationError(
                    f"a line of text is one field, and {self._job.model} needs several"
                )
            return ""
        return (needed if len(needed) == 1 else texts)[0]

    def _typed(self, row: Row) -> Row:
        """Read the cells of a row: strings where the field takes them, else JSON, or nothing."""
        names = self._job.selection.rename
        read = {}
        for name, cell in row.items():
            about = self._schema.fields.get(names.get(name, name))
            files = about in self._schema.files
            if cell == "" and about is not None and (files or not takes_strings(about.type)):
                continue
            read[name] = cell if about is None else read_word(about, cell)
        return read


def _is_file(path: str) -> bool:
    """Whether all that will be read from there is there already."""
    with suppress(OSError, ValueError):  # a standard input that is no file at all
        status = os.fstat(sys.stdin.fileno()) if path == STREAM else os.stat(path)  # noqa: PTH116
        return stat.S_ISREG(status.st_mode)
    return False


def _taken(rows: deque[Row]) -> Iterator[Row]:
    """Yield rows, and keep none that was."""
    while rows:
        yield rows.popleft()


def made(what: str, make: Callable[..., _Made], options: Mapping[str, Any]) -> _Made:
    """Make what an option of the command line names; options that it does not take are told.

    Raises
    ------
    ConfigurationError
        If there is one.
    """
    try:
        return make(**options)
    except TypeError as error:
        found = re.search(r"unexpected keyword argument '(\w+)'|takes no arguments", str(error))
        wrong = found and (found[1] or next(iter(options), None))
        if wrong not in options:  # not about what was given here
            raise
        known = [name for name in inspect.signature(make).parameters if name != "common"]
        hint = nearest(str(wrong), known)
        raise ConfigurationError(f"{what} takes no option {wrong!r}{hint}") from error


def read_word(about: Field | None, word: str) -> JSON:
    """Read a word as a value of a field: a string where it takes strings, else as JSON."""
    if about is not None and takes_strings(about.type):
        return word
    try:
        value: JSON = json.loads(word)
    except (ValueError, RecursionError):
        return word
    return value
