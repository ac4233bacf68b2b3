"""The warm path: workers that have loaded the model answer batches."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol, cast

from repro.common.jsonlines import JSON, encode
from repro.common.spool import Spool
from repro.engine.files import files_for
from repro.engine.isolation import default_memory
from repro.engine.jobs import Batch, Corpus
from repro.engine.leftovers import sweep_once
from repro.engine.pool import Pool
from repro.errors import OutputError
from repro.models.carrier import Carrier, size_of_files
from repro.models.failure import Failure
from repro.models.file_mode import words
from repro.models.program import device_words, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from repro.engine.files import Files
    from repro.models.docker_model import DockerModel

MAX_BATCH = 2**25  # bytes of instances in a batch, unless one alone has more
MAX_FILES = 2**30  # and of the files that they name


class Answered(Protocol):
    """The predictions of the first instances, where they were made before."""

    def take(self, count: int) -> Sequence[JSON | Failure] | None:
        """Give the next ones; None, and so ever after, if there are not so many any more."""
        ...


def make_pool(model: DockerModel) -> Pool:
    """Make the pool of a model's workers; they start when there is something to answer."""
    engine, spec = prepare(model)
    sweep_once(engine)
    arguments = ["--worker", *device_words(model), *words(model.load_options)]
    memory = spec.memory or default_memory(engine) // model.workers
    return Pool(
        engine,
        replace(spec, command=(*spec.command, *arguments), memory=memory),
        model.workers,
        timeout=model.timeout,
        load_timeout=model.load_timeout,
        idle_timeout=model.idle_timeout,
        make_files=partial(files_for, image=spec.image) if model.schema.files else None,
    )


def answer_one(model: DockerModel, pool: Pool, row: bytes, options: Mapping[str, object]) -> JSON:
    """Answer one instance with workers that there are: the short way, as it is the frequent one."""
    words = encode(options) if options else b"{}"
    batch = Batch(model.schema.model, 0, [row], words, patient=False)
    if model.schema.files:
        with _carried(carrier_of(model, pool), batch):
            pool.answer(batch)
    else:
        pool.answer(batch)
    if batch.failures:
        raise batch.failures[0]
    (prediction,) = batch.outputs
    received: JSON = model.schema.received(prediction, 0)
    return received


def carrier_of(model: DockerModel, pool: Pool) -> Carrier:
    """Make what carries the files that instances name to the workers."""
    return Carrier(model.schema, lambda: cast("Files", pool.files))


@contextmanager
def _carried(carrier: Carrier, batch: Batch) -> Iterator[None]:
    """Have the files of a batch carried."""
    carried: dict[str, str] = {}
    try:
        batch.rows = list(carrier.carry(batch.rows, batch.start, carried))
        yield
    finally:
        carrier.remove(carried.values())


class WorkerMode:
    """Streams instances through a pool.

    Parameters
    ----------
    model : DockerModel
        Whose instances.
    pool : callable
        Makes the pool, or gives the one that there is; called when the first instances are there.
    patient : bool
        Whether failures are recorded, and the other instances answered all the same.
    """

    def __init__(self, model: DockerModel, pool: Callable[[], Pool], *, patient: bool) -> None:
        self.model, self.patient = model, patient
        self._pool = pool
        self._name = model.schema.model
        self._sent: list[bytes] | None = []  # as long as nothing was answered
        self._left: Iterator[Batch] = iter(())
        self._answered: Answered | None = None
        self.known = 0  # instances that were answered before

    def answers(
        self,
        rows: Iterable[bytes],
        options: Mapping[str, object],
        on_progress: Callable[[int], None] | None = None,
        on_corpus: Callable[[JSON], None] | None = None,
        answered: Answered | None = None,
    ) -> Iterator[JSON | Failure]:
        """Yield the predictions in order, as they come, and failures where they are recorded.

        Batches that `answered` has whole are not asked again, and not yielded. `on_corpus` gets the
        value over all predictions, these included, after the last one; none if there is no row, or
        one has failed.

        Raises
        ------
        NoWorkerMode
            If the program has none; `unanswered` has the rows.
        """
        self._answered = answered
        self._left = batches = self._batches(rows, encode(options))
        if on_corpus is None:
            unknown = self._unknown(batches)
            first = next(unknown, None)
            if first is not None:
                yield from self._predictions(self._pool(), chain([first], unknown), on_progress)
            return
        with _Rows() as kept:
            unknown = self._unknown(batches, kept)
            first = next(unknown, None)
            if first is not None:
                asked = chain([first], unknown)
                for prediction in self._predictions(self._pool(), asked, on_progress):
                    kept.add(prediction)
                    yield prediction
            if kept.count and not kept.failures:
                corpus = Corpus(kept.lines)
                self._pool().answer(corpus)
                on_corpus(corpus.value)

    def unanswered(self) -> Iterator[bytes]:
        """Yield all instances, after it turned out that there is no such mode."""
        yield from self._sent or ()
        self._sent = None
        for batch in self._left:  # the rows themselves would lack one that no batch had room for
            yield from batch.rows

    def _predictions(
        self, pool: Pool, batches: Iterable[Batch], on_progress: Callable[[int], None] | None
    ) -> Iterator[JSON | Failure]:
        with self._with_files(pool, batches) as ready:
            for batch in pool.answers(ready):
                self._sent = None
                self.model.isolated += batch.isolated
                yield from self._checked(batch)
                if on_progress is not None:
                    on_progress(batch.start + len(batch.rows))

    @contextmanager
    def _with_files(self, pool: Pool, batches: Iterable[Batch]) -> Iterator[Iterable[Batch]]:
        """Carry the files of each batch when it is its turn, and take away those of the ones done.

        The pool takes the next batch when it has given out the one before.
        """
        if not self.model.schema.files:
            yield batches
            return
        carrier = carrier_of(self.model, pool)
        there: deque[tuple[Batch, ExitStack]] = deque()

        def carried() -> Iterator[Batch]:
            for batch in batches:
                while there and there[0][0].done:
                    there.popleft()[1].close()
                with ExitStack() as stack:
                    stack.enter_context(_carried(carrier, batch))
                    there.append((batch, stack.pop_all()))
                yield batch

        try:
            yield carried()
        finally:
            for _, stack in there:
                stack.close()

    def _unknown(self, batches: Iterable[Batch], kept: _Rows | None = None) -> Iterator[Batch]:
        """Yield the batches that are not answered yet."""
        for batch in batches:
            known = None if self._answered is None else self._answered.take(len(batch.rows))
            if known is None:
                self._answered = None
                if self._sent is not None:
                    self._sent += batch.rows
                yield batch
                continue
            self.known += len(known)
            if kept is not None:
                for prediction in known:
                    kept.add(prediction)

    def _checked(self, batch: Batch) -> Iterator[JSON | Failure]:
        if batch.failures and not self.patient:
            for place, output in enumerate(batch.leading):
                yield self.model.schema.received(output, batch.start + place)
            raise next(iter(batch.failures.values()))
        for place, output in enumerate(batch.outputs):
            index = batch.start + place
            if (error := batch.failures.get(place)) is not None:
                yield Failure(index, error)
                continue
            try:
                prediction = self.model.schema.received(output, index)
            except OutputError as problem:
                if not self.patient:
                    raise
                yield Failure(index, problem)
            else:
                yield prediction

    def _batches(self, rows: Iterable[bytes], options: bytes) -> Iterator[Batch]:
        """Cut into batches, by count and by bytes: the same ones whoever answers them."""
        start, size = 0, 0
        gathered: list[bytes] = []
        schema = self.model.schema
        for row in rows:
            weight = len(row)
            if schema.files:
                weight += size_of_files(schema, row) * MAX_BATCH // MAX_FILES
            if gathered and size + weight > MAX_BATCH:
                yield self._batch(start, gathered, options)
                start, size, gathered = start + len(gathered), 0, []
            gathered.append(row)
            size += weight
            if len(gathered) == self.model.batch_size:
                yield self._batch(start, gathered, options)
                start, size, gathered = start + len(gathered), 0, []
        if gathered:
            yield self._batch(start, gathered, options)

    def _batch(self, start: int, rows: list[bytes], options: bytes) -> Batch:
        return Batch(self._name, start, rows, options, patient=self.patient)


class _Rows(Spool):
    """The rows of a metric, kept until all of them are there."""

    failures = 0

    def add(self, prediction: JSON | Failure) -> None:
        """Keep one."""
        if isinstance(prediction, Failure):
            self.failures += 1
        else:
            self.append(encode(prediction))
