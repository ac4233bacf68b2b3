"""Run several models of one task over the same rows, and tell how far they agree."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.catalog import find_model
from repro.catalog.agreement import need_libraries
from repro.common.io import translated
from repro.common.jsonlines import JSONRuleError, encode
from repro.common.spool import Spool
from repro.data.formats import STREAM, format_of
from repro.data.writing import RowTarget
from repro.engine.client import connect
from repro.errors import (
    ConfigurationError,
    DataFileError,
    EngineError,
    ModelError,
    OutputError,
    UnknownNameError,
)
from repro.models.failure import Failure
from repro.models.files import plain
from repro.models.lookup import model_class, schema_of
from repro.models.schema import Schema
from repro.operations.job import PredictionJob
from repro.operations.prediction import opened
from repro.operations.rows import predictions_of
from repro.operations.selection import Selection
from repro.operations.source import Source
from repro.operations.values import MISSING, Values, agreement, choose, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from repro.common.jsonlines import JSON

TABLES = ("csv", "tsv", "parquet")
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One model of a comparison, and what is its own about it.

    Parameters
    ----------
    name : str
        The model's.
    label : str, optional
        What it is called in the result, where a model is compared with itself under other options.
    selection : Selection
        Which rows and columns it reads.
    load_options, options : mapping
        What its class takes, and a call.
    path : str, optional
        Where in its predictions the value is that is compared.
    """

    name: str
    label: str = ""
    selection: Selection = field(default_factory=Selection)
    load_options: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    path: str | None = None

    @property
    def called(self) -> str:
        """What it is called in the result."""
        return self.label or self.name


@dataclass(frozen=True, kw_only=True)
class ComparisonJob:
    """What to compare, over which rows, and where they are written.

    Parameters
    ----------
    models : tuple of Compared
        Two or more models of one task.
    inputs : tuple of str
        Files of rows; ``"-"`` is standard input.
    input_format : str, optional
        Their format, where suffixes do not tell.
    paths : tuple of str
        Where in the predictions the values are that are compared; by default all plain values that
        the predictions of all models have.
    output : str, optional
        A file that gets a row for each of the input.
    shown : int, optional
        How many rows the result has; None is all.
    """

    models: tuple[Compared, ...]
    inputs: tuple[str, ...] = (STREAM,)
    input_format: str | None = None
    paths: tuple[str, ...] = ()
    output: str | None = None
    shown: int | None = None

    def __post_init__(self) -> None:
        names = [model.called for model in self.models]
        own = any(model.path is not None for model in self.models)
        problem = ""
        if len(set(names)) < len(names) or len(names) < 2:
            problem = "a comparison is of two or more models, each named once"
        elif own and len(self.paths) > 1:
            problem = "where a model has a path of its own, the others have one"
        elif self.output is not None and format_of(self.output) == "text":
            problem = "a line of text cannot tell what several models say; write jsonl or csv"
        if problem:
            raise ConfigurationError(problem)


@dataclass(kw_only=True)
class Comparison:
    """What came of a comparison.

    Attributes
    ----------
    rows : int
        How many there are; `shown` has the first ones: ``instance_id``, ``input`` as the first
        model got it, ``predictions`` by model, and ``errors`` by model where there are some.
    models : list of str
        Those that answered; `failures` says of the others why they did not.
    failed : dict of str to int
        How many rows each model failed over.
    corpus : dict of str to JSON
        The values over all rows, of models that are metrics.
    values : list of Values
        What was compared.
    agreement : list of dict
        Of each two models at each path: ``models``, ``path``, ``rows``, and ``equal`` and
        ``cohen_kappa``, or ``pearson_r``, ``spearman_rho``, ``largest_difference`` and the
        ``instance_id`` of the row that has it, None if there is no difference.
    """

    rows: int = 0
    shown: list[Row] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    corpus: dict[str, JSON] = field(default_factory=dict)
    values: list[Values] = field(default_factory=list)
    agreement: list[dict[str, Any]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every model answered every row."""
        return not self.failures and not any(self.failed.values())


def compare(
    job: ComparisonJob, *, on_progress: Callable[[str, int, int], None] | None = None
) -> Comparison:
    """Run the models one after the other, each closed before the next, and compare.

    A row that fails a model has no value of it; a model that fails altogether is left out.

    Parameters
    ----------
    job : ComparisonJob
        What to do.
    on_progress : callable, optional
        Gets a model's name, how many predictions it made, and of how many instances.

    Raises
    ------
    ConfigurationError
        If the models are of several tasks, or their predictions have no value at a path.
    InstanceError
        If a row does not fit a model; of the first rows, before anything is started.
    ModelError, EngineError
        If no model answered: what the first one ended with.
    """
    need_libraries()
    _check_tasks([model.name for model in job.models])
    with ExitStack() as stack:
        single = _single_jobs(job, stack)
        for check in (_check_options, _check_rows):
            for one in single.values():
                check(one)
        connect()
        found = Comparison()
        spools: dict[str, Spool] = {}
        errors: list[ModelError | EngineError] = []
        for name, one in single.items():
            spool = stack.enter_context(Spool())
            try:
                _run(name, one, spool, found, on_progress)
            except (ModelError, EngineError) as error:
                errors.append(error)
                found.failures[name] = str(error)
            else:
                spools[name] = spool
        if not spools:
            raise errors[0]
        _join(job, spools, found)
    return found


def _check_tasks(names: Sequence[str]) -> None:
    tasks: dict[str, str] = {}
    for name in names:
        try:
            tasks[name] = find_model(name)[1].task
        except UnknownNameError:  # it may have no card; if there is none of that name, it is told
            model_class(name)
    if len(set(tasks.values())) > 1:
        told = ", ".join(f"{name} of {task}" for name, task in tasks.items())
        raise ConfigurationError(f"the models are of several tasks: {told}")


def _single_jobs(job: ComparisonJob, stack: ExitStack) -> dict[str, PredictionJob]:
    """Make a job of each model, by its label; what can be read once only is kept meanwhile."""
    inputs = tuple(_readable_again(path, stack) for path in job.inputs)
    return {
        model.called: PredictionJob(
            model=model.name,
            inputs=inputs,
            outputs=(),
            input_format=job.input_format,
            load_options=model.load_options,
            options=model.options,
            selection=model.selection,
            on_error="record",
        )
        for model in job.models
    }


def _readable_again(path: str, stack: ExitStack) -> str:
    """Keep a stream, such as <(command), in a file without a name, which each model can read."""
    if path != STREAM and not (path.startswith("/dev/") and Path(path).is_fifo()):
        return path
    with translated(tempfile.gettempdir()):
        kept = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  closed by the stack
        with nullcontext(sys.stdin.buffer) if path == STREAM else Path(path).open("rb") as stream:
            shutil.copyfileobj(stream, kept)
        kept.flush()
    return f"/dev/fd/{kept.fileno()}"


def _check_options(job: PredictionJob) -> None:
    """Check what a model is made and called with."""
    Schema.of(job.model, model_class(job.model).predict).call(job.options)
    with ExitStack() as stack:
        opened(job.model, job.load_options, stack)


def _check_rows(job: PredictionJob) -> None:
    """Check the first rows against a model's signature."""
    with ExitStack() as stack:
        schema = schema_of(job.model, opened(job.model, job.load_options, stack))
        stack.enter_context(Source(job, schema)).checked_ahead()


def _run(
    name: str,
    job: PredictionJob,
    spool: Spool,
    found: Comparison,
    on_progress: Callable[[str, int, int], None] | None,
) -> None:
    """Keep a line for each row: its id, the instance, and the prediction or the error.

    A model that failed over all of them has failed.
    """
    failed, first, corpus = 0, None, list[Any]()
    with ExitStack() as stack:
        model = opened(job.model, job.load_options, stack)
        schema = schema_of(job.model, model)
        source = stack.enter_context(Source(job, schema, whole=True))

        def tell(done: int) -> None:
            if on_progress is not None:
                on_progress(name, done, source.count)

        predictions = predictions_of(job, model, source, None, tell, corpus.append)
        if isinstance(predictions, Generator):  # what it holds ends with it, also if this fails
            stack.callback(predictions.close)
        for prediction in predictions:
            row = source.head()
            line, failure = _line(job.model, row, prediction, spool.count)
            spool.append(line)
            if failure is not None:
                failed, first = failed + 1, first or failure
        if first is not None and failed == spool.count:
            raise first.error
    found.models.append(name)
    found.failed[name] = failed
    if corpus and not failed:
        found.corpus[name] = corpus[0]


def _line(model: str, row: Row, prediction: Any, index: int) -> tuple[bytes, Failure | None]:
    """Encode a row; what no file can hold is an error, too."""
    del row["model_id"]
    if not isinstance(prediction, Failure):
        try:
            row = {**row, "prediction": plain(prediction)}
            return encode(row, allow_nan=False, wrapping=2), None
        except JSONRuleError as error:
            prediction = Failure(index, OutputError(model, f"the prediction {error}", index))
    about = {"type": prediction.kind, "message": prediction.message}
    return encode({**row, "error": about}, wrapping=2), prediction


def _join(job: ComparisonJob, spools: Mapping[str, Spool], found: Comparison) -> None:
    """Put the rows of all models side by side; write, keep and compare them."""
    counts = {name: spool.count for name, spool in spools.items()}
    if len(set(counts.values())) > 1:
        raise DataFileError(", ".join(job.inputs), f"changed while it was read: {counts} rows")
    first = {name: _first_prediction(spool) for name, spool in spools.items()}
    own = {model.called: model.path for model in job.models if model.path is not None}
    columns = choose(first, job.paths, own)
    values = [Values(name=name, of={model: [] for model in spools}) for name in columns]
    identities: list[str] = []
    with ExitStack() as stack:
        target = None if job.output is None else RowTarget(job.output)
        writer = stack.enter_context(target.open()) if target else None
        flat = target is not None and target.format in TABLES
        for row in _rows(spools):
            identities.append(row["instance_id"])
            cells: Row = {}
            for one, paths in zip(values, columns.values(), strict=True):
                for model in spools:
                    missing = model in row.get("errors", {})
                    said = MISSING if missing else row["predictions"][model]
                    value = value_of(said, model, paths[model])
                    one.of[model].append(value)
                    cells[f"{model}.{one.name}".rstrip(".")] = None if value is MISSING else value
            if writer is not None:
                head = {"instance_id": row["instance_id"]}
                writer.write({**head, **_texts(cells)} if flat else row)
            if job.shown is None or len(found.shown) < job.shown:
                found.shown.append(row)
    found.rows, found.values = len(identities), values
    found.agreement = [agreed for one in values for agreed in agreement(one, identities)]


def _rows(spools: Mapping[str, Spool]) -> Iterator[Row]:
    for lines in zip(*(spool.lines() for spool in spools.values()), strict=True):
        rows = dict(zip(spools, map(json.loads, lines), strict=True))
        first = next(iter(rows.values()))
        joined = {"instance_id": first["instance_id"], "input": first["input"]}
        joined["predictions"] = {name: row.get("prediction") for name, row in rows.items()}
        if errors := {name: row["error"] for name, row in rows.items() if "error" in row}:
            joined["errors"] = errors
        yield joined


def _first_prediction(spool: Spool) -> Any:
    rows = map(json.loads, spool.lines())
    return next((row["prediction"] for row in rows if "prediction" in row), MISSING)


def _texts(cells: Row) -> Row:
    """Write what is nested as JSON, so that each row of a table has the same columns."""
    return {
        name: json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict | list) else cell
        for name, cell in cells.items()
    }


def as_json(comparison: Comparison) -> dict[str, JSON]:
    """Write a comparison as JSON."""
    return {
        "models": [*comparison.models],
        "failures": {**comparison.failures},
        "failed_rows": {**comparison.failed},
        "corpus": {**comparison.corpus},
        "agreement": [*comparison.agreement],
        "count": comparison.rows,
        "rows": [*comparison.shown],
    }
