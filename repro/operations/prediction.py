"""Predict files of instances: whole outputs, in order, with a record of how they were made."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro import __version__
from repro.catalog import find_model
from repro.common.io import translated, whole_file
from repro.data.formats import STREAM
from repro.errors import ConfigurationError, UnknownNameError
from repro.models import DockerModel
from repro.models.files import plain
from repro.models.lookup import check_load_options, model_class, schema_of
from repro.operations.contents import content_folder
from repro.operations.job import NATIVE_WRITER
from repro.operations.rows import without_id, write_rows
from repro.operations.source import Source, made, read_word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from repro.common.jsonlines import JSON
    from repro.models import Model
    from repro.operations.job import PredictionJob


def predict_file(
    job: PredictionJob, *, on_progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Predict every chosen row of the inputs; return the record of the run.

    A row of the output is ``{"instance_id", "model_id", "prediction"}``; an instance without an id
    gets its zero-based number. Where failures are recorded, one that failed has an ``error`` of
    ``type`` and ``message`` instead of the prediction. Output files appear whole or not at all, and
    their record next to them as ``<output>.run.json``. Of a metric the record has the value over
    the corpus, too; there is none if a row has failed.

    Parameters
    ----------
    job : PredictionJob
        What to do.
    on_progress : callable, optional
        Gets the number of predictions made, and of instances, now and then.

    Raises
    ------
    DataFileError, InstanceError, ModelError, EngineError
        As they say; no output is left. What can be resumed is kept.
    """
    record: dict[str, Any] = {"started": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    clock = time.monotonic()
    with ExitStack() as stack:
        model = opened(job.model, job.load_options, stack)
        schema = schema_of(job.model, model)
        source = stack.enter_context(Source(job, schema, whole=_repeats_input(job)))
        run = write_rows if job.writer == NATIVE_WRITER else _write_with
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
    schema = schema_of(job.model, model)
    schema.call(job.options)
    with Source(job, schema) as source:
        for index, row in enumerate(source.instances()):
            schema.instance(row, index)
            source.head()
        return source.count


def predict_one(
    model: str,
    fields: Sequence[tuple[str, str]],
    load_options: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    dry_run: bool = False,
    files: str | None = None,
) -> JSON:
    """Predict one instance whose fields are given as words; or check it, and start nothing.

    A word is the string it is where the field takes strings; elsewhere it is read as JSON. Files
    that the model makes go to the folder `files`; without one they are only described.
    """
    with ExitStack() as stack:
        loaded = opened(model, load_options, stack)
        schema = schema_of(model, loaded)
        instance = {name: read_word(schema.fields.get(name), word) for name, word in fields}
        if dry_run or isinstance(loaded, DockerModel):  # before anything is started
            schema.call(options)
            schema.instance(instance, 0)
        if dry_run:
            return None
        prediction: JSON = loaded.predict_batch([instance], **options)[0]
        if files is not None:
            with content_folder(files) as folder:
                folder.write(prediction, 0)
                return folder.named(prediction, 0, STREAM)
        described: JSON = plain(prediction)
        return described


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
    if isinstance(model, DockerModel) and model.schema.has_contents:
        raise ConfigurationError(f"{job.model} makes files, which {job.writer!r} cannot write")
    writer = made(f"the writer {job.writer}", OutputWriter.by_name(job.writer), job.writer_options)
    instances = list(source.instances())
    if isinstance(model, DockerModel):  # before anything is started
        schema = schema_of(job.model, model)
        for index, row in enumerate(instances):
            schema.instance(row, index)
    predictions = model.predict_batch([without_id(row) for row in instances], **job.options)
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


def _repeats_input(job: PredictionJob) -> bool:
    """Whether each row repeats its instance: there are two ways to ask for it."""
    given = {"include_input": job.include_input, **job.writer_options}
    if job.writer == NATIVE_WRITER and set(given) != {"include_input"}:
        raise ConfigurationError("the default output writer has one option, include_input")
    return bool(given["include_input"])


def opened(name: str, options: Mapping[str, Any], stack: ExitStack) -> Any:
    """Make a model that is closed with the stack."""
    model = _loaded(name, options)
    return stack.enter_context(model) if isinstance(model, DockerModel) else model


def _loaded(name: str, options: Mapping[str, Any]) -> Any:
    found = model_class(name)
    check_load_options(name, found, options)
    return made(name, found, options)


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
        if model.load_seconds is not None:
            about["load_seconds"] = round(model.load_seconds, 3)
    with suppress(UnknownNameError):  # a model without a card
        card, _ = find_model(job.model)
        about |= {"package": card.package, "version": card.version, "card_sha256": card.digest}
    return about
