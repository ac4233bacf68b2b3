"""One warm container that answers requests, in the order they were sent.

Nothing here waits: a pool asks the system which workers have something to say.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from repro.common.jsonlines import JSON, MAX_ROW, JSONRuleError, decode
from repro.engine.container import CLEAN_UP, KEPT_BYTES, Container
from repro.engine.exchange import Inbox
from repro.engine.isolation import default_memory
from repro.engine.report import reported
from repro.engine.stream import STDOUT, Demultiplexer, Lines
from repro.errors import (
    ContainerError,
    EngineError,
    EngineUnavailable,
    OutOfMemory,
    OutputError,
    ReproError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repro.engine.client import Engine
    from repro.engine.spec import ContainerSpec

PIECE = 2**16  # bytes that are read or written at once; more of them cost more than they save
AT_ONCE = 64  # pieces
MAX_FRAME = MAX_ROW + 2**20  # bytes of a line of the protocol
FRAME_NESTING = 2  # levels of a frame around a prediction
LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

_numbers = count(1)


class WorkerLost(Exception):
    """A worker has ended, or cannot be understood; carries the error to tell."""

    def __init__(self, error: ReproError) -> None:
        super().__init__(error)
        self.error = error


@dataclass(eq=False)
class Request:
    """What a worker is asked, and what it has answered so far.

    Parameters
    ----------
    job : object
        Whoever asks.
    frames : iterator of bytes
        What is sent.
    size : int, optional
        How many outputs answer it; None if it is one value.
    """

    job: Any
    frames: Iterator[bytes]
    number: int
    size: int | None = None
    outputs: list[JSON] = field(default_factory=list)
    failure: ReproError | None = None
    divisible: bool = True  # whether asking in parts may tell more about a failure
    out_of_memory: bool = False


def next_number() -> int:
    """Give a request its number."""
    return next(_numbers)


class Worker:
    """A container whose program runs in worker mode.

    Parameters
    ----------
    engine : Engine
        Where it runs.
    spec : ContainerSpec
        What runs, worker mode and load options included.
    """

    def __init__(self, engine: Engine, spec: ContainerSpec) -> None:
        self.engine, self.spec = engine, spec
        self.greeted = self.ready = False
        self.load_seconds = 0.0
        self.pending: deque[Request] = deque()  # asked and not answered, the oldest first
        self.since = 0.0  # when it began to load, or the oldest request became the oldest
        self.blocked = False  # whether there is more to send than it takes now
        self._unsent: deque[Request] = deque()
        self._rest = memoryview(b"")  # of the frame that is being sent
        self._answered = 0  # the number of the last request that was answered
        self._demultiplexer, self._frames, self._prints = Demultiplexer(), Lines(), Lines()
        self._exchange = Inbox(engine)
        self._container = Container(engine, spec, self._exchange, watched=False, followed=False)

    def start(self) -> None:
        """Start the container; it loads the model while the caller goes on.

        Raises
        ------
        EngineError, ContainerError
            If it cannot be started; nothing is left.
        """
        self._exchange.__enter__()
        try:
            self._container.start()
        except BaseException:
            self.close()
            raise
        self._socket = self._container.connection
        self._socket.setblocking(False)
        self.since = time.monotonic()

    def fileno(self) -> int:
        """Tell the descriptor to wait for."""
        return self._socket.fileno()

    def ask(self, request: Request) -> None:
        """Queue a request, and send what can be sent at once."""
        if self.ready and not self.pending:
            self.since = time.monotonic()
        self.pending.append(request)
        self._unsent.append(request)
        self.flush()

    def flush(self) -> None:
        """Send what can be sent without waiting."""
        self.blocked = False
        while self.ready and (self._rest or self._next_frame()):
            try:
                sent = self._socket.send(self._rest[:PIECE])
            except LATER:
                self.blocked = True
                return
            except OSError:  # it is gone: what can be read will tell
                self._unsent.clear()
                self._rest = memoryview(b"")
                return
            self._rest = self._rest[sent:]

    def receive(self) -> Iterator[Request]:
        """Read what has arrived; yield each request that is answered by it.

        Raises
        ------
        WorkerLost
            If it has ended, or breaks the protocol.
        """
        for _ in range(AT_ONCE):  # others wait as well
            try:
                data = self._socket.recv(PIECE)
            except LATER:
                return
            except OSError:
                data = b""
            if not data:
                raise WorkerLost(self._cause_of_death())
            for stream, piece in self._demultiplexer.feed(data):
                if stream == STDOUT:
                    yield from self._take_frames(piece)
                else:
                    self._take_prints(piece)
            pending = getattr(self._socket, "pending", None)  # what TLS has read ahead
            if len(data) < PIECE and not (pending and pending()):
                return

    def overdue(self, timeout: float | None, load_timeout: float) -> float | None:
        """Tell for how many seconds it may still be silent; None if for ever."""
        limit = timeout if self.ready else load_timeout
        if limit is None or (self.ready and not self.pending):
            return None
        return self.since + limit - time.monotonic()

    def out_of_memory(self, *, certain: bool = True) -> OutOfMemory:
        """Say that the kernel killed something in it, or probably did."""
        limit = self.spec.memory or default_memory(self.engine)
        status = self._container.fate.status
        lines = tuple(self._container.lines)
        shown = 137 if status is None else status
        return OutOfMemory(self.spec.image, self.spec.command, shown, lines, limit, certain)

    def end_input(self) -> None:
        """Let its standard input end, as that does when nothing more will be asked."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it, and wait until nothing is left."""
        try:
            self._container.close()
        finally:
            self._exchange.__exit__()

    def abandon(self) -> None:
        """Let go of it in a forked child, whose parent it belongs to."""
        self._container.abandon()

    def _next_frame(self) -> bool:
        """Take up the next frame to send."""
        while self._unsent:
            frame = next(self._unsent[0].frames, None)
            if frame is not None:
                self._rest = memoryview(frame)
                return True
            self._unsent.popleft()
        return False

    def _take_prints(self, piece: bytes) -> None:
        for line in self._prints.feed(piece):
            self._container.keep(line)
        self._prints.cut(KEPT_BYTES)

    def _take_frames(self, piece: bytes) -> Iterator[Request]:
        for line in self._frames.feed(piece):
            if not self.ready:
                self._greet(line)
            elif (request := self._take_answer(line)) is not None:
                yield request
        if self._frames.size > MAX_FRAME:
            raise self._broken("a line without end")

    def _greet(self, line: bytes) -> None:
        """Take the frames before the first answer.

        What is printed before the first of them comes from modules that were imported before the
        runtime.
        """
        try:
            frame = decode(line)
        except JSONRuleError:
            frame = None
        operation = frame.get("op") if isinstance(frame, dict) else None
        if not isinstance(frame, dict) or operation != ("ready" if self.greeted else "hello"):
            if self.greeted:
                raise self._broken("something else than that it is ready")
            self._container.keep(line)
        elif not self.greeted:
            self.greeted = True
        elif frame.get("out_of_memory") is True:
            raise WorkerLost(self.out_of_memory())
        elif (error := reported(self.spec.name, frame.get("error"))) is not None:
            raise WorkerLost(error)
        else:
            seconds = frame.get("seconds")
            self.load_seconds = float(seconds) if isinstance(seconds, int | float) else 0.0
            self.ready = True
            self.since = time.monotonic()
            self.flush()

    def _take_answer(self, line: bytes) -> Request | None:
        """Take one frame of an answer; return the request if it is whole."""
        try:
            frame = decode(line, wrapping=FRAME_NESTING)
        except JSONRuleError as error:
            if not self.pending:
                raise self._broken("a frame that cannot be read") from None
            failure = OutputError(self.spec.name, f"the prediction {error}")
            return self._finish(self.pending[0], failure)
        if not isinstance(frame, dict):
            raise self._broken("a frame that is no object")
        if frame.get("id") == self._answered:
            return None  # the rest of an answer that could not be read
        if not self.pending or frame.get("id") != self.pending[0].number:
            raise self._broken("an answer that nobody has asked for")
        request = self.pending[0]
        request.out_of_memory = frame.get("out_of_memory") is True
        if "error" in frame:
            return self._take_error(request, frame["error"])
        return self._take_outputs(request, frame)

    def _take_error(self, request: Request, report: JSON) -> Request:
        failure = reported(self.spec.name, report)
        if failure is None:
            raise self._broken("an error that is none")
        # Without an index, the number of its predictions is wrong.
        request.divisible = not isinstance(failure, OutputError) or failure.index is not None
        return self._finish(request, failure)

    def _take_outputs(self, request: Request, frame: Mapping[str, JSON]) -> Request | None:
        if request.size is None:
            request.outputs = [frame.get("value")]
            return self._finish(request)
        outputs = frame.get("outputs")
        if not isinstance(outputs, list):
            raise self._broken("an answer without predictions")
        request.outputs += outputs
        count = len(request.outputs)
        if frame.get("more") is True and count <= request.size:
            return None
        if count == request.size:
            return self._finish(request)
        request.divisible = False
        problem = f"it answered {count:,} predictions for {request.size:,} instances"
        return self._finish(request, OutputError(self.spec.name, problem))

    def _finish(self, request: Request, failure: ReproError | None = None) -> Request:
        request.failure = failure
        self._answered = request.number
        self.pending.popleft()
        self.since = time.monotonic()
        return request

    def _broken(self, what: str) -> WorkerLost:
        return WorkerLost(OutputError(self.spec.name, f"its program wrote {what}"))

    def _cause_of_death(self) -> ReproError:
        """Say how it ended, from what the engine has told."""
        if begun := self._prints.rest():
            self._container.keep(begun)
        fate = self._container.fate
        deadline = time.monotonic() + CLEAN_UP
        while not fate.died.wait(0.05) and fate.lost is None and time.monotonic() < deadline:
            pass
        if fate.status is None:
            if fate.lost is not None:
                problem, remedy = "the connection was lost", "`repro doctor` tells more"
                return EngineUnavailable(str(self.engine.address), problem, remedy)
            problem = f"the engine did not say how the container of {self.spec.image} ended"
            return EngineError(problem)
        if fate.out_of_memory or (fate.status == 137 and not self.engine.tells_out_of_memory):
            return self.out_of_memory(certain=fate.out_of_memory)
        lines = tuple(self._container.lines)
        return ContainerError(self.spec.image, self.spec.command, fate.status, lines)
