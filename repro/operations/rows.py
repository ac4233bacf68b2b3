"""Stream the predictions of a run into files of rows."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from repro.common.io import translated
from repro.common.jsonlines import JSONRuleError, encode
from repro.data.formats import STREAM
from repro.data.writing import RowTarget
from repro.errors import ConfigurationError, OutputError
from repro.models import DockerModel
from repro.models.failure import Failure
from repro.models.files import with_contents
from repro.models.metric import Metric
from repro.models.schema import INSTANCE_ID
from repro.operations.contents import ContentFolder, content_folder
from repro.operations.resume import Partial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from repro.common.jsonlines import JSON
    from repro.data.writing import Writer
    from repro.models import Model
    from repro.operations.job import PredictionJob
    from repro.operations.source import Source


def write_rows(
    job: PredictionJob,
    model: Model,
    source: Source,
    on_progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """Stream the predictions into all outputs; return what the record says of them."""
    recorded = job.on_error == "record"
    if recorded and not isinstance(model, DockerModel):
        raise ConfigurationError(f"{job.model} answers all rows at once, or none: it may not fail")
    targets = [
        RowTarget(path, job.output_format, allow_nan=job.allow_nan, failures=recorded)
        for path in job.outputs
    ]
    corpus: list[Any] = []
    folder = _folder_for_contents(job, model)
    with ExitStack() as stack:
        partial = stack.enter_context(Partial(job, model, source)) if job.resume else None
        file = cast("IO[bytes] | None", partial)  # which is all of a file that a writer needs
        contents = stack.enter_context(content_folder(folder, job.outputs)) if folder else None
        writers = [stack.enter_context(target.open(file)) for target in targets]
        tell = _teller(job, source, partial, on_progress)
        predictions = predictions_of(job, model, source, partial, tell, corpus.append)
        if isinstance(predictions, Generator):  # what it holds ends with it, also if writing fails
            stack.callback(predictions.close)
        failed = _copy(job, source, predictions, writers, partial, contents)
        if contents is not None:  # before the rows that name what is in it
            contents.publish()
    known = partial.count if partial else 0
    outputs = [
        {
            "path": target.path,
            "rows": writer.count + known,
            "sha256": partial.sha256 if partial else target.sha256,
        }
        for target, writer in zip(targets, writers, strict=True)
    ]
    found: dict[str, Any] = {"output": outputs[0] if len(outputs) == 1 else outputs}
    if isinstance(model, DockerModel):
        found |= {"failed": failed, "isolated": model.isolated}
    if partial is not None:
        found["resumed"] = known
    if corpus or isinstance(model, Metric):
        found["corpus"] = corpus[0] if corpus and not failed else None
    return found


def _copy(
    job: PredictionJob,
    source: Source,
    predictions: Iterable[JSON | Failure],
    writers: Sequence[Writer],
    partial: Partial | None,
    contents: ContentFolder | None,
) -> int:
    """Write a row for each prediction; return how many have failed."""
    recorded, failed = job.on_error == "record", 0
    for prediction in predictions:
        row, number = source.head(), writers[0].count
        failure = _failure(job, prediction, number, partial) if recorded else None
        if contents is not None and not (failure or isinstance(prediction, Failure)):
            contents.write(prediction, number)
            for path, writer in zip(job.outputs, writers, strict=True):
                writer.write({**row, "prediction": contents.named(prediction, number, path)})
            continue
        if failure is None:
            row["prediction"] = prediction
        else:
            failed += 1
            before = partial.failures if partial else 0
            if job.max_errors is not None and failed + before > job.max_errors:
                raise failure.error
            row["error"] = {"type": failure.kind, "message": failure.message}
        for writer in writers:
            writer.write(row)
    return failed + (partial.failures if partial else 0)


def _folder_for_contents(job: PredictionJob, model: Model) -> str | None:
    """Say where the files go that the model makes, if it makes any."""
    if not isinstance(model, DockerModel) or not model.schema.has_contents:
        if job.files is not None:
            raise ConfigurationError(f"{job.model} makes no files; leave out --files")
        return None
    if job.resume:
        raise ConfigurationError(f"{job.model} makes files, and such a run cannot be resumed")
    output = Path(job.outputs[0])
    beside = job.outputs[0] != STREAM and (output.is_file() or not output.exists())
    if job.files is None and not beside:  # no place beside a stream or a device
        raise ConfigurationError(f"{job.model} makes files; say where to put them with --files DIR")
    folder = f"{output}.files" if job.files is None else job.files or "."
    for one in job.outputs:
        if one != STREAM and Path(one).resolve().is_relative_to(Path(folder).resolve()):
            problem = f"is for the files that are made alone; {one} cannot be there"
            raise ConfigurationError(f"{folder} {problem}")
    return folder


def _failure(
    job: PredictionJob, prediction: JSON | Failure, written: int, partial: Partial | None
) -> Failure | None:
    """Tell a failure; what no file can hold is one, too."""
    if isinstance(prediction, Failure):
        return prediction
    try:
        shown = with_contents(prediction, lambda _, content: content.suffix)
        encode(shown, ascii_only=False, allow_nan=job.allow_nan)
    except JSONRuleError as error:
        index = written + (partial.count if partial else 0)
        return Failure(index, OutputError(job.model, f"the prediction {error}", index))
    return None


def _teller(
    job: PredictionJob,
    source: Source,
    partial: Partial | None,
    on_progress: Callable[[int, int], None] | None,
) -> Callable[[int], None] | None:
    """Say what is done after each batch, if anything."""
    streams = STREAM in job.outputs
    if not streams and partial is None and on_progress is None:
        return None

    def tell(done: int) -> None:
        if partial is not None:
            partial.flush()
        if streams:
            with translated(STREAM):
                sys.stdout.flush()
        if on_progress is not None:
            on_progress(done, source.count)

    return tell


def predictions_of(
    job: PredictionJob,
    model: Model,
    source: Source,
    partial: Partial | None,
    tell: Callable[[int], None] | None,
    on_corpus: Callable[[Any], None],
) -> Iterable[JSON | Failure]:
    """Stream the predictions of any kind of model; a value over all rows is told."""
    if isinstance(model, DockerModel):
        options: dict[str, Any] = {"on_progress": tell, "on_error": job.on_error, **job.options}
        if isinstance(model, Metric):
            options["on_corpus"] = on_corpus
        return model.predict_stream(source.checked_ahead(), answered=partial, **options)
    inputs = [without_id(row) for row in source.instances()]
    answers = model.predict_batch(inputs, **job.options)
    if isinstance(answers, tuple) and len(answers) == 2:  # a metric's, in the ancestor's style
        macro, answers = answers
        on_corpus(macro)
    if not isinstance(answers, list) or len(answers) != len(inputs):
        count = len(answers) if isinstance(answers, list) else type(answers).__name__
        raise OutputError(job.model, f"it answered {count} for {len(inputs)} instances")
    return answers


def without_id(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out the id of an instance."""
    return {name: value for name, value in row.items() if name != INSTANCE_ID}
