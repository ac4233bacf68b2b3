"""Go on with a run that was stopped: its rows are kept, with what they were made from and by."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from repro import __version__
from repro.catalog import find_model
from repro.common.io import translated
from repro.common.jsonlines import JSON, JSONRuleError, decode
from repro.data.formats import STREAM, compression_of, format_of
from repro.errors import ConfigurationError, DataFileError, PredictionError, UnknownNameError
from repro.models import DockerModel
from repro.models.failure import Failure
from repro.models.files import mapped
from repro.models.program import prepare
from repro.operations.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from repro.models import Model
    from repro.models.schema import Schema
    from repro.operations.job import PredictionJob

PENDING = 2**20  # bytes that wait to be written, also within a batch
SYNC = 1.0  # seconds of work that a power failure may cost

_EACH = {  # what is told one by one, and how it is called
    "options": "the option",
    "load_options": "the load option",
    "selection": "the selection's",
    "reader_options": "the reader's option",
}
_CALLED = {"repro": "version of repro", "card": "card's digest", "image": "image"}
SHOWN = 100  # characters of a value
STAMP = 8  # characters that tell one file that has changed, for each instance


def partial_of(output: str) -> Path:
    """Say where the rows of an unfinished run are kept; beside them is what they are, as JSON."""
    target = Path(output).resolve()
    return target.with_name(f"{target.name}.partial")


class Partial:
    """The rows of a run that may be stopped at any moment; a context manager.

    It holds them beside the output, and becomes it when the block ends without an error. No two
    processes can work on the same ones.

    Parameters
    ----------
    job : PredictionJob
        What is predicted.
    model : Model
        By which model.
    source : Source
        Its instances; the heads of those that were answered before are taken from it.

    Raises
    ------
    ConfigurationError
        If the job cannot be resumed, another process is at it, or the rows that there are were made
        from something else; it says from what.
    """

    def __init__(self, job: PredictionJob, model: Model, source: Source) -> None:
        self._model = _resumable(job, model)
        self._job, self._source = job, source
        self._output = job.outputs[0]
        self._path = partial_of(self._output)
        self._about = Path(f"{self._path}.json")
        self._rows: IO[bytes] | None = None
        self._pending: list[bytes] = []
        self._size = 0  # bytes of these
        self._end = 0  # of the whole batches that were answered before
        self._writing = False
        self._found_cold = False  # whether it has turned out to have no worker mode
        self._synced = time.monotonic()
        self.count = self.failures = 0  # rows that were answered before
        self.sha256 = ""

    def __enter__(self) -> Self:
        self._file = _locked(self._path, self._output)
        try:
            self._identity = _identity(self._job, self._model, self._source)
            with translated(self._output):
                if os.fstat(self._file.fileno()).st_size:
                    self._compare()
                    self._rows = self._path.open("rb")
                else:
                    self._describe()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._close_rows()
            if kind is None:
                self._finish()
        finally:
            self._leave()

    def take(self, count: int) -> list[JSON | Failure] | None:
        """Give the predictions of the next batch, if they are there to the last one."""
        rows: list[dict[str, Any]] = []
        end = self._end
        while self._rows is not None and len(rows) < count:
            line = self._rows.readline()
            row = _row(line)
            if row is None:  # the end, or torn
                self._close_rows()
                return None
            rows.append(row)
            end += len(line)
        if len(rows) < count:
            return None
        self._end = end
        return [self._known(row) for row in rows]

    def write(self, piece: bytes) -> int:
        """Write a piece of a row, sooner or later."""
        self._pending.append(piece)
        self._size += len(piece)
        if self._size > PENDING:
            self._write_pending()
        return len(piece)

    def flush(self) -> None:
        """Write what waits; from time to time, have it survive a power failure."""
        self._write_pending()
        if time.monotonic() - self._synced > SYNC:
            self._sync()

    def _known(self, row: dict[str, Any]) -> JSON | Failure:
        """Tell what was answered, of a row that must be the next instance's."""
        error, prediction = row.pop("error", None), row.pop("prediction", None)
        index, self.count = self.count, self.count + 1
        head = self._source.head()
        if any(row.get(name) != head[name] for name in ("instance_id", "model_id")):
            problem = f"row {index + 1} is not of instance {index}; {self._anew}"
            raise DataFileError(str(self._path), problem)
        if error is None:
            return cast("JSON", prediction)
        self.failures += 1
        known = PredictionError(self._job.model, index, error["type"], error["message"])
        return Failure(index, known)

    def _write_pending(self) -> None:
        if not self._pending:
            return
        self._begin()
        data = memoryview(b"".join(self._pending))
        self._pending.clear()
        self._size = 0
        with translated(self._output):
            while data:
                data = data[self._file.write(data) :]

    def _begin(self) -> None:
        """Drop what is no whole batch; what follows is written in its place."""
        if self._writing:
            return
        self._writing = True
        self._close_rows()
        if self._model.last_image != self._identity["image"]:
            raise ConfigurationError(f"the image of {self._job.model} has changed meanwhile")
        with translated(self._output):
            self._file.truncate(self._end)
            self._file.seek(self._end)
            if self._model.cold and not self._identity["cold"] and not self._found_cold:
                self._found_cold = True
                self._describe()

    def _sync(self) -> None:
        with translated(self._output):
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def _finish(self) -> None:
        """Become the output."""
        self._begin()
        self._write_pending()
        self._sync()
        target = Path(self._output).resolve()
        total = hashlib.sha256()
        with translated(self._output):
            self._file.seek(0)
            while piece := self._file.read(2**20):
                total.update(piece)
            with suppress(FileNotFoundError):
                os.fchmod(self._file.fileno(), target.stat().st_mode & 0o7777)
            self._path.replace(target)
            self._about.unlink(missing_ok=True)
        self.sha256 = total.hexdigest()

    def _leave(self) -> None:
        """Let others at it; if there is nothing that was worth keeping, leave nothing."""
        with suppress(OSError):
            ours = os.fstat(self._file.fileno())
            if not ours.st_size and os.path.samestat(ours, self._path.stat()):
                self._about.unlink(missing_ok=True)
                self._path.unlink()
        self._file.close()

    def _close_rows(self) -> None:
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    @property
    def _anew(self) -> str:
        return f"remove {self._path} and {self._about} to start anew"

    def _describe(self) -> None:
        """Say what the rows will be made from, before there is one."""
        text = json.dumps({**self._identity, "found_cold": self._found_cold}, indent=1) + "\n"
        with self._about.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def _compare(self) -> None:
        """Refuse rows that were made from something else."""
        try:
            described = json.loads(self._about.read_text(encoding="utf-8"))
            self._found_cold = described.pop("found_cold")
        except (FileNotFoundError, ValueError, AttributeError, KeyError):
            problem = f"{self._about} does not say what its rows are of; {self._anew}"
            raise DataFileError(str(self._path), problem) from None
        before, now = (self._of_answered(about) for about in (described, self._identity))
        found = "; ".join(_differences(before, now, self._job.inputs))
        if found:
            raise ConfigurationError(
                f"{self._path} has rows of another run: {found}; undo that, or {self._anew}"
            )
        if self._found_cold:
            self._model.cold = True
        if described.get("files") != self._identity["files"]:  # those that are not answered yet
            self._describe()

    def _of_answered(self, about: dict[str, Any]) -> dict[str, Any]:
        """Leave out the files of instances that are not answered yet: those may change."""
        if not about.get("files"):
            return about
        with self._path.open("rb") as rows:
            count = sum(piece.count(b"\n") for piece in iter(partial(rows.read, 2**20), b""))
        return {**about, "files": about["files"][: count * STAMP]}


def _resumable(job: PredictionJob, model: Model) -> DockerModel:
    """Refuse what cannot be resumed."""
    problem = ""
    if not isinstance(model, DockerModel):
        raise ConfigurationError(f"{job.model} answers all rows at once; nothing can be resumed")
    if len(job.outputs) != 1 or STREAM in job.outputs:
        problem = "one --output file"
    elif format_of(job.outputs[0], job.output_format) != "jsonl" or compression_of(job.outputs[0]):
        problem = "an output of JSON lines, not compressed"
    elif (target := Path(job.outputs[0]).resolve()).exists() and not target.is_file():
        problem = "an output that is an ordinary file"
    elif job.dataset is not None:
        problem = "files as --input"
    elif not all(path != STREAM and Path(path).is_file() for path in job.inputs):
        problem = "inputs that are ordinary files"
    if problem:
        raise ConfigurationError(f"a run that can be resumed needs {problem}")
    return model


def _identity(job: PredictionJob, model: DockerModel, source: Source) -> dict[str, Any]:
    """Put together all that decides what the rows are, as it looks in JSON.

    What decides how fast they come, or whether they come at all, may change: workers, timeouts,
    memory, what becomes of failures.
    """
    schema = model.schema
    options = schema.call(job.options)
    program = model.resolve()
    prepare(model)
    card = None
    with suppress(UnknownNameError):  # a model without a card
        card = find_model(job.model)[0].digest
    about = {
        "repro": __version__,
        "model": job.model,
        "card": card,
        "image": model.last_image,
        "command": program.command,
        "cold": program.cold if model.cold is None else model.cold,
        "input": [
            {"format": format_of(path, job.input_format), "sha256": _hash(path)}
            for path in job.inputs
        ],
        "files": _stamps(job, schema) if schema.files else None,
        "options": options,
        "load_options": {
            **model.load_options,
            **{name: getattr(model, name) for name in ("device", "cpus", "network", "batch_size")},
        },
        "selection": asdict(job.selection),
        "reader": job.reader,
        "reader_options": dict(job.reader_options),
        "include_input": source.whole,
        "allow_nan": job.allow_nan,
    }
    found: dict[str, Any] = json.loads(json.dumps(about, default=repr))
    return found


def _stamps(job: PredictionJob, schema: Schema) -> str:
    """Write a stamp for each row: of the path, the size and the time of the files that it names."""

    def look(path: str) -> str:
        about = "missing"
        with suppress(OSError, ValueError):
            status = os.stat(path)  # noqa: PTH116  a Path costs as much again
            about = f"{status.st_size} {status.st_mtime_ns}"
        stamp.update(os.fsencode(f"{path}\0{about}\0"))
        return path

    stamps = []
    with Source(job, schema) as source:
        for row in source.instances():
            stamp = hashlib.blake2b(digest_size=STAMP // 2)
            for field in schema.files:
                mapped(field.type, row.get(field.name), look)
            stamps.append(stamp.hexdigest())
    return "".join(stamps)


def _differences(old: dict[str, Any], new: dict[str, Any], inputs: Sequence[str]) -> Iterator[str]:
    """Name what is not as it was."""
    for name in {**new, **old}:
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if name == "files":
            pairs = enumerate(zip(was or "", now or "", strict=False))
            place = next((n for n, (then, today) in pairs if then != today), 0)
            yield f"a file that instance {place // STAMP} names has changed"
        elif name == "input":
            yield from _other_inputs(was or [], now or [], inputs)
        elif name in _EACH:
            for one in {**(was or {}), **(now or {})}:
                then, today = (was or {}).get(one), (now or {}).get(one)
                if then != today:
                    yield f"{_EACH[name]} {one} was {_shown(then)} and is {_shown(today)}"
        else:
            yield f"the {_CALLED.get(name, name)} was {_shown(was)} and is {_shown(now)}"


def _other_inputs(was: list[Any], now: list[Any], inputs: Sequence[str]) -> Iterator[str]:
    if len(was) != len(now):
        yield f"it had {len(was)} input files, and there are {len(now)}"
        return
    for old, new, path in zip(was, now, inputs, strict=True):
        if old != new:
            yield f"the input {path} has changed"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _locked(path: Path, output: str) -> IO[bytes]:
    """Open a file that no other process has; make it if it is not there."""
    while True:
        with translated(output):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            file = os.fdopen(descriptor, "r+b", buffering=0)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                    return cast("IO[bytes]", file)
            except BlockingIOError:
                file.close()
                raise ConfigurationError(f"another process is writing {path}") from None
            except BaseException:
                file.close()
                raise
            file.close()  # who had it has just renamed it


def _row(line: bytes) -> dict[str, Any] | None:
    """Read a row that was written; None if it is not whole."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = decode(line, wrapping=1)
    except JSONRuleError:
        return None
    if not isinstance(row, dict) or ("prediction" in row) == ("error" in row):
        return None
    return cast("dict[str, Any]", row)


def _hash(path: str) -> str:
    total = hashlib.sha256()
    with translated(path), Path(path).open("rb") as file:
        while piece := file.read(2**20):
            total.update(piece)
    return total.hexdigest()
