"""The cold path: a container for each call, and files in and out.

Every way to go wrong is an error, and only whole outputs are read.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING, cast

from repro.common.jsonlines import JSON, JSONRuleError, decode
from repro.common.spool import Spool
from repro.engine.container import run
from repro.engine.files import files_for
from repro.engine.report import reported
from repro.engine.volume import exchange_for
from repro.errors import ContainerError, ModelError, OutOfMemory, OutputError
from repro.models.carrier import Carrier
from repro.models.failure import Failure
from repro.models.program import device_words, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from repro.engine.client import Engine
    from repro.engine.exchange import Exchange
    from repro.engine.spec import ContainerSpec
    from repro.models.docker_model import DockerModel

INPUT, OUTPUT, AGGREGATE = "input.jsonl", "output.jsonl", "aggregate.json"
MAX_REPORT = 2**20  # bytes
MAX_ENDED = 3  # instances over which a program may end before it has answered any
REPORT = OUTPUT + ".error"  # where the runtime says what the model raised


class FileMode:
    """Runs a model's program once over a file."""

    def __init__(self, model: DockerModel) -> None:
        self.model = model
        self.name = model.schema.model

    def answers(
        self,
        rows: Iterable[bytes],
        options: Mapping[str, object],
        on_progress: Callable[[int], None] | None = None,
        on_corpus: Callable[[JSON], None] | None = None,
    ) -> Generator[JSON]:
        """Yield the predictions; the first comes when all are made and their number is right.

        `on_corpus` gets the value over all of them after the last one, if there is any.
        """
        with _kept(rows) as waiting:  # until all of them have been checked
            count = waiting.count
            if count == 0:
                return
            engine, spec = prepare(self.model)
            with exchange_for(engine) as exchange, ExitStack() as stack:
                if self.model.schema.files:
                    spec = self._with_files(engine, spec, exchange, waiting, stack)
                else:
                    with exchange.create(INPUT) as file:
                        file.writelines(waiting.pieces())
                inside = exchange.inside
                arguments = ["--input-file", f"{inside}/{INPUT}"]
                arguments += ["--output-file", f"{inside}/{OUTPUT}"]
                if on_corpus is not None:
                    arguments += ["--aggregate-file", f"{inside}/{AGGREGATE}"]
                counter = _Rows(exchange, on_progress) if on_progress is not None else None
                Thread(target=self.model.schema.prepare, daemon=True).start()  # while it starts
                self._run(engine, spec, exchange, [*arguments, *words(options)], counter)
                answered = _count(exchange, self.name)
                if answered != count:
                    problem = f"it wrote {answered:,} predictions for {count:,} instances"
                    raise OutputError(self.name, problem)
                for index, prediction in enumerate(exchange.rows(OUTPUT, self.name)):
                    yield self.model.schema.received(prediction, index)
                if on_corpus is not None:
                    on_corpus(self._only(exchange.rows(AGGREGATE, self.name)))

    def _with_files(
        self,
        engine: Engine,
        spec: ContainerSpec,
        exchange: Exchange,
        rows: Spool,
        stack: ExitStack,
    ) -> ContainerSpec:
        """Write the instances with the files that they name carried to where the container reads.

        Each is carried once, however many instances name it; all stay until `stack` ends.
        """
        files = files_for(engine, spec.image)
        stack.callback(files.close)
        carrier = Carrier(self.model.schema, lambda: files)
        with exchange.create(INPUT) as file:
            file.writelines(line + b"\n" for line in carrier.carry(rows.lines(), 0, {}))
        return replace(spec, mounts=(*spec.mounts, *files.mounts()))

    def recorded(
        self,
        rows: Iterable[bytes],
        options: Mapping[str, object],
        on_progress: Callable[[int], None] | None = None,
        on_corpus: Callable[[JSON], None] | None = None,
    ) -> Iterator[JSON | Failure]:
        """Yield the predictions, and failures in the place of those that cannot be made.

        A run that fails is repeated without the instance that it names, or in halves; the first
        ones first, so that what is answered need not be held.

        Raises
        ------
        ModelError
            If the program answers nothing, and ends over each of several instances alone: it is not
            they that are wrong then. If it answers each, but has no value over all of them.
        """
        with _kept(rows) as kept:
            failures: dict[int, Failure] = {}
            of_all: ModelError | None = None  # why there is no value over all rows
            ended = 0  # over one instance alone, and before it has answered any
            following = 0
            groups = [list(range(kept.count))]
            while groups:
                group, answered = groups.pop(), 0
                whole = len(group) == kept.count
                told = on_corpus if whole else None
                run = self.answers(_lines(kept, group), options, on_progress, told)
                try:
                    with closing(run) as answers:
                        for place, answer in zip(group, answers, strict=True):
                            yield from (failures[n] for n in range(following, place))
                            yield answer
                            following, answered = place + 1, answered + 1
                except ModelError as error:
                    ended += len(group) == 1 and getattr(error, "index", None) is None
                    if ended == MAX_ENDED or answered == len(group):  # of the value over all rows
                        raise
                    groups += _without_guilty(group, answered, error, failures)
                    of_all = error if told is not None else of_all
                if answered:
                    ended = -kept.count
                    self.model.isolated += 0 if whole else answered
            yield from (failures[n] for n in range(following, kept.count))
            if of_all is not None and not failures:
                raise of_all

    def _only(self, rows: Iterator[JSON]) -> JSON:
        values = list(islice(rows, 2))
        if len(values) != 1:
            raise OutputError(self.name, "it wrote not just one value over all rows")
        return values[0]

    def dataset(self, name: str) -> Iterator[dict[str, JSON]]:
        """Yield the rows of a data set in the image."""
        engine, spec = prepare(self.model)
        with exchange_for(engine) as exchange:
            arguments = ["--dataset", name, "--output-file", f"{exchange.inside}/{OUTPUT}"]
            self._run(engine, spec, exchange, arguments, None)
            for index, row in enumerate(exchange.rows(OUTPUT, self.name)):
                if not isinstance(row, dict) or set(row) != {"input", "label"}:
                    problem = f"a row of the data set {name!r} has not just an input and a label"
                    raise OutputError(self.name, problem, index)
                yield cast("dict[str, JSON]", row)

    def _run(
        self,
        engine: Engine,
        spec: ContainerSpec,
        exchange: Exchange,
        arguments: list[str],
        rows: _Rows | None,
    ) -> None:
        spec = replace(
            spec,
            command=(*spec.command, *arguments, *device_words(self.model)),
            timeout=self.model.timeout,
        )
        try:
            run(engine, spec, exchange, on_tick=None if rows is None else rows.look)
        except OutOfMemory:  # whatever the program made of it
            raise
        except ContainerError as error:
            if error.status == 1 and (told := _told(exchange, self.name)) is not None:
                raise told from error
            raise
        if rows is not None:
            rows.look()


def _without_guilty(
    group: list[int], answered: int, error: ModelError, failures: dict[int, Failure]
) -> list[list[int]]:
    """Note the failure of the instance that an error names; give the others, or else two halves."""
    index = 0 if len(group) == 1 else getattr(error, "index", None)
    rest = group[answered:]
    if not isinstance(index, int) or not answered <= index < len(group):
        return [rest[len(rest) // 2 :], rest[: len(rest) // 2]]
    place = rest.pop(index - answered)
    failures[place] = Failure(place, error)
    return [rest]


@contextmanager
def _kept(rows: Iterable[bytes]) -> Iterator[Spool]:
    with Spool() as kept:
        for row in rows:
            kept.append(row)
        yield kept


def _lines(kept: Spool, places: Iterable[int]) -> Iterator[bytes]:
    """Yield the lines at some places, which are in order."""
    following = iter(places)
    wanted = next(following, None)
    for place, line in enumerate(kept.lines()):
        if place == wanted:
            yield line
            wanted = next(following, None)


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


def _told(exchange: Exchange, model: str) -> Exception | None:
    """Read what the runtime says a model raised; None if it says nothing that can be believed."""
    try:
        with exchange.open(REPORT, model) as file:
            return reported(model, decode(file.read(MAX_REPORT)))
    except (OutputError, JSONRuleError):
        return None
