"""What a pool gives its workers to do, and what becomes of it when they fail."""

from __future__ import annotations

from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from repro.engine.worker import Request, next_number
from repro.errors import ContainerError, OutputError, PredictionError, PredictionTimeout, ReproError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from repro.common.jsonlines import JSON

CORPUS_FRAME = 2**22  # bytes of rows in a frame
LOSSES = 2  # of a whole batch, after which each of its rows is asked alone


class Job(Protocol):
    """Something that takes one request or more."""

    done: bool
    error: BaseException | None  # why there is no answer at all

    def next_request(self) -> Request:
        """Say what to ask next; the same again if it was lost."""
        ...

    def answered(self, request: Request) -> None:
        """Take an answer."""
        ...

    def lost(self, error: ReproError) -> None:
        """Be told that the worker was lost while this was its oldest request."""
        ...

    def fail(self, error: BaseException) -> None:
        """Be told that nothing more will come."""
        ...


class Batch:
    """Instances that are sent at once.

    A batch whose worker is lost is sent again whole, once, so that float models give the same
    digits; then, and after a timeout or an exception that names no instance, each instance is sent
    alone.

    Parameters
    ----------
    model : str
        What errors call it.
    start : int
        The number of its first instance.
    rows : sequence of bytes
        The instances, encoded.
    options : bytes
        The options of the call, encoded.
    patient : bool
        Whether an instance that fails is recorded, and the others are answered all the same.
    """

    def __init__(
        self, model: str, start: int, rows: Sequence[bytes], options: bytes, *, patient: bool
    ) -> None:
        self.model, self.start, self.rows, self.options = model, start, rows, options
        self.patient = patient
        self.size = sum(map(len, rows))  # bytes
        self.outputs: list[JSON] = [None] * len(rows)
        self.failures: dict[int, ReproError] = {}  # by the place in the batch
        self.isolated = 0  # instances that were answered, but not in their batch
        self.done = not rows
        self.error: BaseException | None = None
        self._groups = deque([list(range(len(rows)))])  # places that are still to be asked
        self._losses = 0
        self._answered: set[int] = set()

    @property
    def leading(self) -> list[JSON]:
        """The predictions before the first instance without one."""
        count = 0
        while count in self._answered:
            count += 1
        return self.outputs[:count]

    def next_request(self) -> Request:
        """Ask for the next group of instances."""
        group, number = self._groups[0], next_number()
        rows = b", ".join([self.rows[place] for place in group])
        frame = b'{"id": %d, "op": "predict", "options": %b, "instances": [%b]}\n'
        frames = iter([frame % (number, self.options, rows)])
        return Request(self, frames, number, size=len(group))

    def answered(self, request: Request) -> None:
        """Keep the predictions of a group, or find out which instance failed."""
        group = self._groups[0]
        if request.failure is not None:
            self._failed(request.failure, divisible=request.divisible)
            return
        self._groups.popleft()
        if len(group) == len(self.rows):
            self.outputs = request.outputs
        else:
            self.isolated += len(group)
            for place, output in zip(group, request.outputs, strict=True):
                self.outputs[place] = output
        self._answered.update(group)
        self.done = not self._groups

    def lost(self, error: ReproError) -> None:
        """Ask again: the whole once, then each alone."""
        self._losses += 1
        whole = len(self._groups[0]) == len(self.rows)
        if whole and self._losses < LOSSES and not isinstance(error, PredictionTimeout):
            return
        if len(self._groups[0]) == 1:
            self._blame(0, error)
        else:
            self._divide()

    def fail(self, error: BaseException) -> None:
        """End without an answer."""
        self.error, self.done = error, True

    def _failed(self, error: ReproError, *, divisible: bool) -> None:
        group = self._groups[0]
        index = getattr(error, "index", None)
        if not divisible:
            for _ in range(len(group)):
                self._blame(0, error)
        elif len(group) == 1:
            self._blame(0, error)
        elif isinstance(index, int) and index < len(group):
            self._blame(index, error)
        else:
            self._divide()

    def _divide(self) -> None:
        self._groups.extendleft([place] for place in reversed(self._groups.popleft()))

    def _blame(self, index: int, error: ReproError) -> None:
        """Record that one instance of the group has failed."""
        group = self._groups[0]
        place = group.pop(index)
        self.failures[place] = _over(error, self.model, self.start + place)
        if not group:
            self._groups.popleft()
        self.done = not self._groups or not self.patient


class Corpus:
    """All rows of a metric, for the value over them.

    Parameters
    ----------
    rows : callable
        Yields the rows, encoded; called again when the worker was lost.
    """

    def __init__(self, rows: Callable[[], Iterator[bytes]]) -> None:
        self.value: JSON = None
        self.done = False
        self.error: BaseException | None = None
        self._rows = rows
        self._losses = 0

    def next_request(self) -> Request:
        """Ask for the value over all rows."""
        number = next_number()
        return Request(self, self._frames(number), number)

    def answered(self, request: Request) -> None:
        """Keep the value."""
        self.error, self.done = request.failure, True
        if request.failure is None:
            (self.value,) = request.outputs

    def lost(self, error: ReproError) -> None:
        """Ask again, once."""
        self._losses += 1
        if self._losses == LOSSES:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """End without a value."""
        self.error, self.done = error, True

    def _frames(self, number: int) -> Iterator[bytes]:
        head = b'{"id": %d, "op": "aggregate", "more": %b, "rows": [%b]}\n'
        for rows in _gathered(self._wanted()):
            yield head % (number, b"true", b", ".join(rows))
        yield head % (number, b"false", b"")

    def _wanted(self) -> Iterator[bytes]:
        """Yield the rows as long as somebody waits; then what they are read from may be closed."""
        rows = self._rows()
        while not self.done and (row := next(rows, None)) is not None:
            yield row


def _gathered(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Put rows together to what is sent at once."""
    gathered: list[bytes] = []
    size = 0
    for row in chain(rows, [None]):
        if gathered and (row is None or size + len(row) > CORPUS_FRAME):
            yield gathered
            gathered, size = [], 0
        if row is not None:
            gathered.append(row)
            size += len(row)


def _over(error: ReproError, model: str, index: int) -> ReproError:
    """Say over which instance an error came."""
    match error:
        case PredictionError():
            return PredictionError(model, index, error.kind, error.message, error.traceback)
        case OutputError():
            return OutputError(model, error.problem, index)
        case PredictionTimeout():
            return PredictionTimeout(model, error.seconds, index)
        case ContainerError():
            error.index = index
        case _:
            pass
    return error
