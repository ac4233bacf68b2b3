"""Run a model's program once over a file.

Every way to go wrong is an error, and only whole outputs are read.
"""

from __future__ import annotations

import json
from itertools import islice
from threading import Thread
from typing import IO, TYPE_CHECKING, cast

from repro.common.jsonlines import JSON, JSONRuleError, decode, encode
from repro.common.text import printable
from repro.engine import image as images
from repro.engine import recipe as recipes
from repro.engine.client import connect
from repro.engine.container import run
from repro.engine.spec import ContainerSpec
from repro.engine.volume import exchange_for
from repro.errors import (
    ContainerError,
    ImageNotFound,
    InstanceError,
    OutOfMemory,
    OutputError,
    PredictionError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from repro.engine.client import Engine
    from repro.engine.exchange import Exchange
    from repro.models.docker_model import DockerModel, Program

INPUT, OUTPUT, AGGREGATE = "input.jsonl", "output.jsonl", "aggregate.json"
MAX_REPORT = 2**20  # bytes
REPORT = OUTPUT + ".error"  # where the runtime says what the model raised


class FileMode:
    """The cold path: a container for each call."""

    def __init__(self, model: DockerModel) -> None:
        self.model = model
        self.name = model.schema.model

    def answers(
        self,
        instances: Iterable[Mapping[str, object]],
        options: Mapping[str, object],
        on_progress: Callable[[int], None] | None = None,
        on_corpus: Callable[[JSON], None] | None = None,
    ) -> Iterator[JSON]:
        """Yield the predictions; the first comes when all are made and their number is right.

        `on_corpus` gets the value over all of them after the last one, if there is any.
        """
        engine, program = self._prepare()
        with exchange_for(engine) as exchange:
            with exchange.create(INPUT) as file:
                count = self._write(instances, file)
            if count == 0:
                return
            inside = exchange.inside
            arguments = ["--input-file", f"{inside}/{INPUT}", "--output-file", f"{inside}/{OUTPUT}"]
            if on_corpus is not None:
                arguments += ["--aggregate-file", f"{inside}/{AGGREGATE}"]
            rows = _Rows(exchange, on_progress) if on_progress is not None else None
            Thread(target=self.model.schema.prepare, daemon=True).start()  # while it starts
            self._run(engine, program, exchange, [*arguments, *words(options)], rows)
            answered = _count(exchange, self.name)
            if answered != count:
                problem = f"it wrote {answered:,} predictions for {count:,} instances"
                raise OutputError(self.name, problem)
            for index, prediction in enumerate(exchange.rows(OUTPUT, self.name)):
                self.model.schema.check_prediction(prediction, index)
                yield prediction
            if on_corpus is not None:
                on_corpus(self._only(exchange.rows(AGGREGATE, self.name)))

    def _only(self, rows: Iterator[JSON]) -> JSON:
        values = list(islice(rows, 2))
        if len(values) != 1:
            raise OutputError(self.name, "it wrote not just one value over all rows")
        return values[0]

    def dataset(self, name: str) -> Iterator[dict[str, JSON]]:
        """Yield the rows of a data set in the image."""
        engine, program = self._prepare()
        with exchange_for(engine) as exchange:
            arguments = ["--dataset", name, "--output-file", f"{exchange.inside}/{OUTPUT}"]
            self._run(engine, program, exchange, arguments, None)
            for index, row in enumerate(exchange.rows(OUTPUT, self.name)):
                if not isinstance(row, dict) or set(row) != {"input", "label"}:
                    problem = f"a row of the data set {name!r} has not just an input and a label"
                    raise OutputError(self.name, problem, index)
                yield cast("dict[str, JSON]", row)

    def _prepare(self) -> tuple[Engine, Program]:
        program = self.model.resolve()
        engine = connect()
        if program.recipe is not None:
            found: images.Image | None = recipes.check(engine, program.recipe)
        else:
            found = images.find(engine, program.image)
        if found is None:
            raise ImageNotFound(program.image, "build or pull it first")
        self.model.last_image = found.id
        return engine, program

    def _write(self, instances: Iterable[Mapping[str, object]], file: IO[bytes]) -> int:
        count = 0
        for count, instance in enumerate(instances, start=1):
            try:
                file.write(encode(instance) + b"\n")
            except JSONRuleError as error:
                field, problem = _guilty(instance, str(error))
                raise InstanceError(self.name, count - 1, field, problem) from None
        return count

    def _run(
        self,
        engine: Engine,
        program: Program,
        exchange: Exchange,
        arguments: list[str],
        rows: _Rows | None,
    ) -> None:
        model = self.model
        gpu = model.device if model.device >= 0 else None
        device = ["--device", "0"] if gpu is not None else []
        network = program.network if model.network is None else model.network
        spec = ContainerSpec(
            image=program.image,
            image_id=model.last_image or "",
            command=(*program.command, *arguments, *device),
            name=self.name,
            network=network,
            gpu=gpu,
            memory=model.memory or program.memory,
            cpus=model.cpus,
            timeout=model.timeout,
            max_output=model.max_output or ContainerSpec.max_output,
            allow_unlimited=model.allow_unlimited,
        )
        try:
            run(engine, spec, exchange, on_tick=None if rows is None else rows.look)
        except OutOfMemory:  # whatever the program made of it
            raise
        except ContainerError as error:
            if error.status == 1 and (reported := _reported(exchange, self.name)) is not None:
                raise reported from error
            raise
        if rows is not None:
            rows.look()


class _Rows:
    """Counts the rows of the output while they are written."""

    def __init__(self, exchange: Exchange, on_progress: Callable[[int], None]) -> None:
        self._exchange, self._on_progress = exchange, on_progress
        self._offset = self._count = 0

    def look(self) -> None:
        try:
            with self._exchange.open(OUTPUT, "") as file:
                file.seek(self._offset)
                while piece := file.read(2**20):
                    self._offset += len(piece)
                    self._count += piece.count(b"\n")
        except OutputError:  # not there yet, or nothing to count; the end will tell
            return
        self._on_progress(self._count)


def words(options: Mapping[str, object]) -> list[str]:
    """Write options as words of a command line.

    Strings stay as they are, unless they would read as JSON; the rest is JSON.
    """
    return [word for name, value in options.items() for word in (f"--{name}", _word(value))]


def _word(value: object) -> str:
    if isinstance(value, str):
        try:
            json.loads(value)
        except json.JSONDecodeError:
            return value
        except (ValueError, RecursionError):  # too long or too deep here, not in every Python
            pass
    return json.dumps(value)


def _count(exchange: Exchange, reader: str) -> int:
    """Count the rows of the output; a last one may lack its newline."""
    count, last = 0, b"\n"
    with exchange.open(OUTPUT, reader) as file:
        while piece := file.read(2**20):
            count += piece.count(b"\n")
            last = piece[-1:]
    return count if last == b"\n" else count + 1


def _reported(exchange: Exchange, model: str) -> Exception | None:
    """Read what the runtime says a model raised; None if it says nothing that can be believed."""
    try:
        with exchange.open(REPORT, model) as file:
            report = decode(file.read(MAX_REPORT))
    except (OutputError, JSONRuleError):
        return None
    if not isinstance(report, dict):
        return None
    index = report.get("index")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        index = None
    kind, message, trace = (
        printable(str(report.get(k, ""))) for k in ("type", "message", "traceback")
    )
    if kind == "OutputError":
        return OutputError(model, message, index)
    return PredictionError(model, index, kind, message, trace)


def _guilty(instance: Mapping[str, object], problem: str) -> tuple[str, str]:
    """Name the field that breaks a rule."""
    for name, value in instance.items():
        try:
            encode(value)
        except JSONRuleError as error:
            return name, str(error)
    return "", problem
