"""Predict files of instances: whole outputs, in order, with a record of how they were made."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro import __version__
from repro.catalog import find_model
from repro.common.io import translated, whole_file
from repro.data.formats import STREAM
from repro.data.writing import RowTarget
from repro.errors import ConfigurationError, OutputError, UnknownNameError
from repro.models import DockerModel
from repro.models.lookup import check_load_options, model_class
from repro.models.metric import Metric
from repro.models.schema import INSTANCE_ID, Schema
from repro.operations.selection import Selection
from repro.operations.source import Source, made, read_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from repro.common.jsonlines import JSON
    from repro.data.writing import Writer
    from repro.models import Model

NATIVE_WRITER = "default"


@dataclass(frozen=True, kw_only=True)
class PredictionJob:
    """What to predict, with which model, and where to.

    Parameters
    ----------
    model : str
        The model's name.
    inputs, outputs : tuple of str
        Files of rows; ``"-"`` is standard input or output. Inputs are read one after the other,
        and every output gets all rows.
    input_format, output_format : str, optional
        Their formats, where suffixes do not tell.
    load_options : mapping
        What the model's class takes.
    options : mapping
        Options of the call.
    selection : Selection
        Which rows and columns.
    reader : str, optional
        A registered dataset reader for the inputs, with `reader_options`.
    dataset : (str, str), optional
        A data set and its split, of the Hugging Face `datasets` library, instead of inputs.
    writer : str
        A registered output writer, with `writer_options`; the default one writes rows.
    include_input : bool
        Repeat the instance in each row.
    allow_nan : bool
        Write NaN and infinities, which JSON does not know.
    """

    model: str
    inputs: tuple[str, ...] = (STREAM,)
    outputs: tuple[str, ...] = (STREAM,)
    input_format: str | None = None
    output_format: str | None = None
    load_options: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    reader: str | None = None
    reader_options: Mapping[str, Any] = field(default_factory=dict)
    dataset: tuple[str, str] | None = None
    writer: str = NATIVE_WRITER
    writer_options: Mapping[str, Any] = field(default_factory=dict)
    include_input: bool = False
    allow_nan: bool = False


def predict_file(
    job: PredictionJob, *, on_progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Predict every chosen row of the inputs; return the record of the run.

    A row of the output is ``{"instance_id", "model_id", "prediction"}``; an instance without an id
    gets its zero-based number. Output files appear whole or not at all, and their record next to
    them as ``<output>.run.json``. Of a metric the record has the value over the corpus, too.

    Parameters
    ----------
    job : PredictionJob
        What to do.
    on_progress : callable, optional
        Gets the number of predictions made, and of instances, now and then.

    Raises
    ------
    DataFileError, InstanceError, ModelError, EngineError
        As they say; no output is left.
    """
    model = _loaded(job.model, job.load_options)
    schema = Schema.of(job.model, type(model).predict)
    record: dict[str, Any] = {"started": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    clock = time.monotonic()
    with Source(job, schema) as source:
        run = _write_rows if job.writer == NATIVE_WRITER else _write_with
        written = run(job, model, source, on_progress)
        record |= {**_about(model, job), "input": source.record(), **written}
    record["seconds"] = round(time.monotonic() - clock, 3)
    for path in job.outputs:
        if path != STREAM and Path(path).is_file():  # beside a device lies no record
            with whole_file(f"{path}.run.json") as file:
                text = json.dumps(record, indent=1, ensure_ascii=False)
                file.write(text.encode(errors="backslashreplace") + b"\n")
    return record


def check_file(job: PredictionJob) -> int:
    """Check every chosen row of the inputs against the model's schema; start nothing.

    Returns
    -------
    int
        How many rows there are.

    Raises
    ------
    DataFileError, InstanceError
        About the first row that is not right.
    """
    model = _loaded(job.model, job.load_options)
    schema = Schema.of(job.model, type(model).predict)
    schema.call(job.options)
    with Source(job, schema) as source:
        for index, row in enumerate(source.instances()):
            schema.instance(row, index)
        return source.count


def predict_one(
    model: str,
    fields: Sequence[tuple[str, str]],
    load_options: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    dry_run: bool = False,
) -> JSON:
    """Predict one instance whose fields are given as words; or check it, and start nothing.

    A word is the string it is where the field takes strings; elsewhere it is read as JSON.
    """
    loaded = _loaded(model, load_options)
    schema = Schema.of(model, type(loaded).predict)
    instance = {name: read_word(schema.fields.get(name), word) for name, word in fields}
    if dry_run or isinstance(loaded, DockerModel):  # before anything is started
        schema.call(options)
        schema.instance(instance, 0)
    if dry_run:
        return None
    prediction: JSON = loaded.predict_batch([instance], **options)[0]
    return prediction


def _write_rows(
    job: PredictionJob,
    model: Model,
    source: Source,
    on_progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """Stream the predictions into all outputs."""
    given = {"include_input": job.include_input, **job.writer_options}
    if set(given) != {"include_input"}:
        raise ConfigurationError("the default output writer has one option, include_input")
    targets = [RowTarget(p, job.output_format, allow_nan=job.allow_nan) for p in job.outputs]
    corpus: list[Any] = []
    with ExitStack() as stack:
        writers = [stack.enter_context(target.open()) for target in targets]
        predictions = _predictions(job, model, source, on_progress, corpus.append)
        if isinstance(predictions, Generator):  # what it holds ends with it, also if writing fails
            stack.callback(predictions.close)
        _copy(job, source, predictions, writers, include_input=bool(given["include_input"]))
    outputs = [
        {"path": target.path, "rows": writer.count, "sha256": target.sha256}
        for target, writer in zip(targets, writers, strict=True)
    ]
    found: dict[str, Any] = {"output": outputs[0] if len(outputs) == 1 else outputs}
    if corpus or isinstance(model, Metric):
        found["corpus"] = corpus[0] if corpus else None
    return found


def _copy(
    job: PredictionJob,
    source: Source,
    predictions: Iterable[JSON],
    writers: Sequence[Writer],
    *,
    include_input: bool,
) -> None:
    heads = None
    for prediction in predictions:
        heads = heads or source.heads()
        identity, instance = next(heads)
        row: dict[str, Any] = {"instance_id": identity, "model_id": job.model}
        row |= {"input": instance} if include_input else {}
        for writer in writers:
            writer.write({**row, "prediction": prediction})


def _predictions(
    job: PredictionJob,
    model: Model,
    source: Source,
    on_progress: Callable[[int, int], None] | None,
    on_corpus: Callable[[Any], None],
) -> Iterable[JSON]:
    if isinstance(model, DockerModel):
        tell = None if on_progress is None else (lambda done: on_progress(done, source.count))
        options: dict[str, Any] = {"on_progress": tell, **job.options}
        if isinstance(model, Metric):
            options["on_corpus"] = on_corpus
        return model.predict_stream(source.checked_ahead(), **options)
    inputs = [_without_id(row) for row in source.instances()]
    answers = model.predict_batch(inputs, **job.options)
    if isinstance(answers, tuple) and len(answers) == 2:  # a metric's, in the ancestor's style
        macro, answers = answers
        on_corpus(macro)
    if not isinstance(answers, list) or len(answers) != len(inputs):
        count = len(answers) if isinstance(answers, list) else type(answers).__name__
        raise OutputError(job.model, f"it answered {count} for {len(inputs)} instances")
    return answers


def _write_with(
    job: PredictionJob,
    model: Model,
    source: Source,
    on_progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """Predict all instances at once, and give them to an output writer, as in the ancestor."""
    from repro.data.output_writers import OutputWriter

    del on_progress
    if job.outputs == (STREAM,):
        raise ConfigurationError(f"the output writer {job.writer!r} needs an --output file")
    writer = made(f"the writer {job.writer}", OutputWriter.by_name(job.writer), job.writer_options)
    instances = list(source.instances())
    if isinstance(model, DockerModel):  # before anything is started
        schema = Schema.of(job.model, type(model).predict)
        for index, row in enumerate(instances):
            schema.instance(row, index)
    predictions = model.predict_batch([_without_id(row) for row in instances], **job.options)
    for path in job.outputs:
        writer.write(instances, predictions, path, model_name=job.model)
    outputs = [{"path": path, "rows": len(instances), **_hash(path)} for path in job.outputs]
    return {"output": outputs[0] if len(outputs) == 1 else outputs}


def _hash(path: str) -> dict[str, str]:
    """Hash what a writer has written, where that is a file."""
    if not Path(path).is_file():
        return {}
    total = hashlib.sha256()
    with translated(path), Path(path).open("rb") as file:
        while piece := file.read(2**20):
            total.update(piece)
    return {"sha256": total.hexdigest()}


def _loaded(name: str, options: Mapping[str, Any]) -> Any:
    found = model_class(name)
    check_load_options(name, found, options)
    return made(name, found, options)


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != INSTANCE_ID}


def _about(model: Model, job: PredictionJob) -> dict[str, object]:
    """Say what made the predictions."""
    about: dict[str, object] = {
        "repro": __version__,
        "model": job.model,
        "options": dict(job.options),
        "load_options": dict(job.load_options),
    }
    if isinstance(model, DockerModel):
        from repro.engine.client import connect

        program = model.resolve()
        about["engine"] = connect().version.get("Version")
        about["image"] = {"name": program.image, "id": model.last_image}
        about["command"] = list(program.command)
    with suppress(UnknownNameError):  # a model without a card
        card, _ = find_model(job.model)
        about |= {"package": card.package, "version": card.version, "card_sha256": card.digest}
    return about
