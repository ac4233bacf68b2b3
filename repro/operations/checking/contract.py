"""Checks of what the program in a container does: each model is run, on its first examples."""

from __future__ import annotations

import select
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.common.jsonlines import encode
from repro.engine.container import run
from repro.engine.isolation import default_memory
from repro.engine.jobs import Batch
from repro.engine.volume import exchange_for
from repro.engine.worker import Worker, WorkerLost
from repro.errors import (
    ContainerError,
    EngineError,
    ModelError,
    OutputError,
    PredictionError,
    PredictionTimeout,
    ReproError,
)
from repro.models.failure import Failure
from repro.models.file_mode import INPUT, OUTPUT, words
from repro.models.program import device_words, prepare
from repro.models.schema import checker, takes_strings
from repro.operations.checking.findings import (
    Checks,
    Finding,
    Skip,
    error,
    passed,
    skipped,
    warning,
)
from repro.operations.checking.subject import Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from repro.models import DockerModel
    from repro.operations.checking.subject import Subject, Trial

CHECKS = Checks("contract", "contract")

UNKNOWN = "no-such-option"
USAGE = 2  # the status with which the runtime refuses
ENDING = 10.0  # seconds
LOADING = 600.0  # seconds
TIMEOUT = 120.0  # seconds that a batch of strange instances may take, and each of them alone

# What a text can be. A model may refuse one, by an error that says why.
TEXTS = {
    "nothing": "",
    "blanks": " \t ",
    "several lines": "one line\nanother\r\n\n\tand a last one\n",
    "control characters": "a\x00b\x07c\x1b[31md\x7f",
    "separators of Unicode": "one\u2028two\u2029three\x85four\u00a0five\ufeff",
    "many scripts": "Größe, ﬁn, 漢字, العربية, עברית, हिन्दी, 👩\u200d👧, \U0001d518, e\u0301\u202e",
}
LONG = {
    "10,000 characters": "word " * 2_000,
    "a word of 10,000 characters": "x" * 10_000,
}

FILES = {
    "an empty file": b"",
    "a file of text": b"This is no picture, and no sound either.\n" * 50,
    "a file of zeros": bytes(4096),
}

# An exception of these types is a mistake in a program, not a refusal.
MISTAKES = {
    *("AssertionError", "AttributeError", "IndexError", "KeyError", "NameError", "TypeError"),
    *("RecursionError", "UnboundLocalError", "UnicodeDecodeError", "UnicodeEncodeError"),
    *("UnicodeError", "ZeroDivisionError", "StopIteration", "error"),
}

TOO_LONG = "say in Readme.md how long a call takes, or refuse what is too long"
UNCLEAR = "answer it, or raise a ValueError in run.py that says what is not right"
MIXED = (
    "answer in the order of the instances, and let none change what another is answered; "
    "or declare `batch_invariant = false`"
)
UNEQUAL = "if it cannot be helped, declare `tolerance` or `deterministic = false` in the card"


def each(subject: Subject, check: Callable[[Trial], Iterator[Finding]]) -> Iterator[Finding]:
    """Make a check of each model of the package; what is the matter with one is told of it."""
    for trial in subject.trials():
        if no_image := subject.missing.get(trial.card.image):
            yield skipped(no_image)
            continue
        subject.report(trial.name)
        try:
            yield from check(trial)
        except Skip as reason:
            yield skipped(*reason.args)
        except ReproError as problem:
            yield error(f"{trial.name}: {problem}")


@CHECKS("isolation")
def isolation(subject: Subject) -> Iterator[Finding]:
    """Have examples answered under the default isolation, and what the card asks for beyond it."""
    yield from each(subject, _isolation)


def _isolation(trial: Trial) -> Iterator[Finding]:
    try:
        _ = trial.answers
    except OutputError as problem:
        yield error(
            f"{trial.name}: {problem}", "`predict` of run.py and of the class have to agree"
        )
        return
    except ModelError as problem:
        remedy = "a program gets no network and no rights, and can write under /tmp alone"
        if not trial.card.network and _answers(trial, network=True):
            remedy = "it needs a network: put `network = true` into the card"
        yield error(f"{trial.name}: {problem}", remedy)
        return
    if trial.card.network and _answers(trial, network=False):
        told = f"{trial.name} answers without the network that the card asks for"
        yield warning(told, "take `network = true` out of the card")
    if trial.model.cold and not trial.card.cold:  # which turned out when it was asked
        yield warning(f"{trial.name} has no worker mode", "put `cold = true` into the card")
    asked = [f"memory = {trial.card.memory:,} bytes"] if trial.card.memory else []
    asked += ["network = true"] if trial.card.network else []
    if asked:
        yield passed(f"{trial.name}: the card asks for {' and '.join(asked)}")


def _answers(trial: Trial, *, network: bool) -> bool:
    with trial.make(network=network) as model:
        try:
            model.predict_batch(trial.inputs[:1])
        except (ModelError, EngineError):  # an engine may have no network to give
            return False
    return True


@CHECKS("modes")
def modes(subject: Subject) -> Iterator[Finding]:
    """Have the same instances answered in file mode and in worker mode: the answers are equal."""
    yield from each(subject, _modes)


def _modes(trial: Trial) -> Iterator[Finding]:
    warm = trial.answers
    if trial.cold:
        raise Skip(f"{trial.name} has no worker mode")
    yield from _compared(trial, warm, Answers(trial.make(cold=True), trial.inputs), "in file mode")


@CHECKS("repeat")
def repeat(subject: Subject) -> Iterator[Finding]:
    """Have the same instances answered by another container: the answers are equal."""
    yield from each(subject, _repeat)


def _repeat(trial: Trial) -> Iterator[Finding]:
    first = trial.answers
    with trial.make() as model:
        found = list(_compared(trial, first, Answers(model, trial.inputs), "in a second run"))
    trial.repeats = not found
    yield from found


def _compared(trial: Trial, one: Answers, other: Answers, where: str) -> Iterator[Finding]:
    if not trial.card.deterministic:
        raise Skip(f"{trial.name}: the card says that its answers differ from run to run")
    for given, before, after in zip(trial.inputs, one.rows, other.rows, strict=True):
        if not trial.agree(before, after):
            message = f"{_short(given)} is answered {_short(before)}, {where} {_short(after)}"
            yield error(f"{trial.name}: {message}", UNEQUAL)
            return
    if not trial.agree(one.corpus, other.corpus):
        message = f"the value over all rows is {_short(one.corpus)}, {where} {_short(other.corpus)}"
        yield error(f"{trial.name}: {message}", UNEQUAL)


@CHECKS("order")
def order(subject: Subject) -> Iterator[Finding]:
    """Send instances backwards and twice: each gets its own answer, in its own place."""
    yield from each(subject, _order)


def _order(trial: Trial) -> Iterator[Finding]:
    alone = trial.answers.rows
    if not trial.card.deterministic:
        raise Skip(f"{trial.name}: the card says that its answers differ from run to run")
    if not trial.repeats:
        raise Skip(f"{trial.name}: its answers differ from run to run")
    size = trial.model.batch_size
    places = [*range(len(alone)), *reversed(range(len(alone))), 0, 0]
    try:
        if not trial.card.batch_invariant:
            trial.model.batch_size = 1
            alone = Answers(trial.model, trial.inputs).rows
        mixed = Answers(trial.model, [trial.inputs[place] for place in places]).rows
    finally:
        trial.model.batch_size = size
    for position, (place, answer) in enumerate(zip(places, mixed, strict=True)):
        if not trial.agree(alone[place], answer):
            given = _short(trial.inputs[place])
            message = f"{given} is answered {_short(alone[place])}, and {_short(answer)}"
            yield error(f"{trial.name}: {message} as instance {position} of a batch", MIXED)
            return


@CHECKS("empty")
def empty(subject: Subject) -> Iterator[Finding]:
    """Give an empty file: no row comes out, and the program ends with status 0."""
    yield from each(subject, _empty)


def _empty(trial: Trial) -> Iterator[Finding]:
    _ = trial.answers
    rows = _file_mode(trial, b"")
    if rows:
        yield error(f"{trial.name} answers {len(rows)} rows to an empty file")


@CHECKS("options")
def options(subject: Subject) -> Iterator[Finding]:
    """Give an option that the program does not have: it is refused."""
    yield from each(subject, _options)


def _options(trial: Trial) -> Iterator[Finding]:
    _ = trial.answers
    given = encode(trial.model.schema.instance(trial.inputs[0], 0)) + b"\n"
    try:
        _file_mode(trial, b"" if trial.model.schema.files else given, f"--{UNKNOWN}", "1")
    except ContainerError as problem:
        if problem.status != USAGE and not trial.cold:
            yield error(f"{trial.name} ends with status {problem.status}, not {USAGE}: {problem}")
    else:
        remedy = "let `main` of repro_runtime read the command line"
        yield error(f"{trial.name} takes the option --{UNKNOWN}, which it does not have", remedy)


@CHECKS("texts")
def texts(subject: Subject) -> Iterator[Finding]:
    """Send strange and long texts: each is answered, or refused by an error that says why."""
    yield from each(subject, _texts)


def _texts(trial: Trial) -> Iterator[Finding]:
    _ = trial.answers
    schema = trial.model.schema
    fields = [field for field in schema.fields.values() if field not in schema.files]
    taken = False
    for field in fields:
        given = trial.inputs[0].get(field.name, "")
        cases = {name: _with_text(given, text) for name, text in (TEXTS | LONG).items()}
        fits = checker(field.type)
        cases = {name: value for name, value in cases.items() if value != given and not fits(value)}
        if cases:  # what does not fit is refused by the schema
            taken = True
            yield from _tried(trial, field.name, cases)
    if not taken:
        raise Skip(f"{trial.name} takes no text")


def _with_text(value: object, text: str) -> object:
    """Put a text in the place of the first one that is in a value, however deep."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        for place, one in enumerate(value):
            if (changed := _with_text(one, text)) != one:
                return [*value[:place], changed, *value[place + 1 :]]
    if isinstance(value, dict):
        for key, one in value.items():
            if (changed := _with_text(one, text)) != one:
                return {**value, key: changed}
    return value


@CHECKS("files")
def files(subject: Subject) -> Iterator[Finding]:
    """Send files that are empty, or hold something else: each is answered, or refused likewise."""
    yield from each(subject, _files)


def _files(trial: Trial) -> Iterator[Finding]:
    _ = trial.answers
    fields = [f for f in trial.model.schema.files if takes_strings(f.type)]
    if not fields:
        raise Skip(f"{trial.name} takes no files")
    with tempfile.TemporaryDirectory(prefix="repro-check-") as folder:
        for field in fields:
            suffix = Path(str(trial.inputs[0].get(field.name, ""))).suffix
            paths = {name: Path(folder) / f"{index}{suffix}" for index, name in enumerate(FILES)}
            for name, path in paths.items():
                path.write_bytes(FILES[name])
            yield from _tried(trial, field.name, {name: str(p) for name, p in paths.items()})


def _tried(trial: Trial, field: str, cases: Mapping[str, object]) -> Iterator[Finding]:
    """Send values of a field that a model may refuse; say which it neither answers nor refuses."""
    given = [{**trial.inputs[0], field: value} for value in cases.values()]
    with trial.make(timeout=TIMEOUT) as model:
        rows = _recorded(model, given)
        if any(isinstance(row, Failure) and isinstance(row.error, OutputError) for row in rows):
            model.batch_size = 1  # a wrong count says nothing of the instance that it is due to
            alone = _recorded(model, given)
            rows = alone if any(isinstance(row, Failure) for row in alone) else rows
    for name, answer in zip(cases, rows, strict=True):
        if isinstance(answer, Failure) and not _refuses(answer.error, cold=trial.cold):
            problem = str(answer.error).strip().partition("\n")[0]
            slow = name in LONG and isinstance(answer.error, PredictionTimeout)
            told = f"{trial.name}, {field} = {name}: {problem}"
            yield warning(told, TOO_LONG) if slow else error(told, UNCLEAR)


def _recorded(model: DockerModel, given: list[dict[str, Any]]) -> list[Any]:
    """Have instances answered; what fails stands in the place of its answer."""
    answered: Any = model.predict_batch(given, on_error="record")
    rows: list[Any] = answered[1] if isinstance(answered, tuple) else answered
    return rows


def _refuses(problem: ReproError, *, cold: bool) -> bool:
    """Whether an error says why an instance cannot be answered."""
    if isinstance(problem, PredictionError):
        return problem.kind.rpartition(".")[2] not in MISTAKES and bool(problem.message.strip())
    # A program without the runtime has nothing but its status and what it prints.
    told = type(problem) is ContainerError and 0 < problem.status < 126 and bool(problem.lines)
    return cold and told


@CHECKS("frames")
def frames(subject: Subject) -> Iterator[Finding]:
    """Talk to a worker: whatever the model prints or reads, there are frames alone."""
    yield from each(subject, _frames)


def _frames(trial: Trial) -> Iterator[Finding]:
    with _worker(trial) as worker:
        try:
            _talk(trial, worker)
        except WorkerLost as lost:
            yield error(f"{trial.name}: {lost.error}")
        else:
            trial.ending = _ending(worker)


@CHECKS("end")
def end(subject: Subject) -> Iterator[Finding]:
    """Close the standard input of a worker: its process ends, within seconds."""
    yield from each(subject, _end)


def _end(trial: Trial) -> Iterator[Finding]:
    if trial.ending is None:
        with _worker(trial) as worker:
            try:
                _until(worker, lambda: worker.ready, LOADING)
            except WorkerLost as lost:
                raise lost.error from lost
            trial.ending = _ending(worker)
    if trial.ending > ENDING:
        remedy = "let `main` of repro_runtime run the program"
        yield error(f"{trial.name} still runs {ENDING:g} s after its input has ended", remedy)
    else:
        yield passed(f"{trial.name}: {trial.ending:.1f} s")


@contextmanager
def _worker(trial: Trial) -> Iterator[Worker]:
    """Start a worker of our own, whose frames can be looked at."""
    _ = trial.answers
    if trial.cold:
        raise Skip(f"{trial.name} has no worker mode")
    engine, spec = prepare(trial.model)
    arguments = ["--worker", *device_words(trial.model), *words(trial.model.load_options)]
    memory = spec.memory or default_memory(engine)
    worker = Worker(engine, replace(spec, command=(*spec.command, *arguments), memory=memory))
    worker.start()
    try:
        yield worker
    finally:
        worker.close()


def _talk(trial: Trial, worker: Worker) -> None:
    """Ask a worker once, and read frames until it has answered."""
    schema = trial.model.schema
    rows = [encode(schema.instance(given, index)) for index, given in enumerate(trial.inputs)]
    if trial.model.schema.files:  # which are carried to workers of the library's own
        _until(worker, lambda: worker.ready, LOADING)
        return
    batch = Batch(trial.name, 0, rows, encode(schema.call({})), patient=False)
    request = batch.next_request()
    worker.ask(request)
    _until(worker, lambda: worker.ready and not worker.pending, LOADING)
    if request.failure is not None:
        raise request.failure


def _until(worker: Worker, reached: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise Skip(f"{worker.spec.name} is silent for {seconds:g} s")
        if select.select([worker], [worker] if worker.blocked else [], [], 1.0)[0]:
            for _ in worker.receive():
                pass
        worker.flush()


def _ending(worker: Worker) -> float:
    """Let a worker's input end; tell for how many seconds it has gone on, or more than it may."""
    started = time.monotonic()
    worker.end_input()
    while (seconds := time.monotonic() - started) <= ENDING:
        if select.select([worker], [], [], 0.1)[0]:
            try:
                for _ in worker.receive():
                    pass
            except WorkerLost as lost:
                if isinstance(lost.error, ContainerError):
                    break
                raise lost.error from lost
    return seconds


def _file_mode(trial: Trial, content: bytes, *more: str) -> list[Any]:
    """Run the program over a file as it stands, by the base contract; return the rows."""
    engine, spec = prepare(trial.model)
    with exchange_for(engine) as exchange:
        with exchange.create(INPUT) as file:
            file.write(content)
        command = [*spec.command, "--input-file", f"{exchange.inside}/{INPUT}"]
        command += ["--output-file", f"{exchange.inside}/{OUTPUT}", *device_words(trial.model)]
        command += [*words(trial.model.load_options), *more]
        run(engine, replace(spec, command=tuple(command), timeout=LOADING), exchange)
        return list(exchange.rows(OUTPUT, trial.name))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
