"""Some workers behind one ordered stream.

There is no thread of our own: whoever waits for an answer looks after all workers meanwhile, and
the others wait for him. So an answer reaches a lone caller without a switch of threads.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import sys
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from repro.engine.client import Engine
from repro.engine.worker import Worker, WorkerLost
from repro.errors import ContainerError, ModelError, PredictionTimeout, ReproError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from repro.engine.files import Files
    from repro.engine.jobs import Batch, Job
    from repro.engine.spec import ContainerSpec
    from repro.engine.worker import Request

DEPTH = 2  # requests that a worker has at a time, so that it never waits for us
LOADS = 3  # workers that may die in a row while they load
AHEAD = 4  # batches a worker that are taken from the stream
SIGNALLED = 128  # and the number of the signal that ended a program is its status
MAX_AHEAD = 2**27  # bytes of them, beyond which only DEPTH are
LOOK = 3600.0  # seconds after which one who waits looks again in any case

log = logging.getLogger(__name__)


class NoWorkerMode(Exception):
    """A program ended before it greeted: it has no worker mode, or failed before."""

    def __init__(self, error: ReproError) -> None:
        super().__init__(error)
        self.error = error


class Pool:
    """Workers of one kind, started when there is work for them.

    Parameters
    ----------
    engine : Engine
        Where they run.
    spec : ContainerSpec
        What they run.
    size : int
        How many at most.
    timeout : float, optional
        Seconds for one request, from the moment at which it is a worker's oldest.
    load_timeout : float
        Seconds for loading.
    idle_timeout : float, optional
        Seconds without work after which the workers are ended.
    make_files : callable, optional
        Makes the files that the workers can read.
    """

    def __init__(  # noqa: PLR0913  one parameter an option; they are keywords
        self,
        engine: Engine,
        spec: ContainerSpec,
        size: int = 1,
        *,
        timeout: float | None = None,
        load_timeout: float = 600.0,
        idle_timeout: float | None = 300.0,
        make_files: Callable[[Engine], Files] | None = None,
    ) -> None:
        self._engine, self._spec, self._size = engine, spec, size
        self._timeout, self._load_timeout = timeout, load_timeout
        self._idle_timeout = idle_timeout
        self._make_files = make_files
        self._files: Files | None = None
        self.load_seconds: float | None = None  # what the last worker took to load the model
        self._workers: list[Worker] = []
        self._jobs: deque[Job] = deque()  # that no worker has
        self._used = self._looked = time.monotonic()
        self._process = os.getpid()  # whose connections the engine has
        self._greeted = False  # whether the program is known to have a worker mode
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._state = threading.Condition()
        self._pumping: int | None = None  # the thread that looks after the workers
        self._waiting = 0  # threads that wait for another one's doing so
        self._failed_loads = 0
        self._timer: threading.Timer | None = None
        self._wakeup: tuple[socket.socket, socket.socket] | None = None
        self._poller = select.poll()
        self._polled: list[tuple[int, bool]] = []  # the descriptors in it, and which are blocked

    # -- what callers do ---------------------------------------------------------------------------

    def answers(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the batches in order, each when it is done.

        Raises
        ------
        ReproError
            If one has no answer at all.
        """
        window: deque[Batch] = deque()
        batches = iter(batches)
        more = True
        try:
            while True:
                while more and self._room(window):
                    batch = next(batches, None)
                    if batch is None:
                        more = False
                    else:
                        window.append(batch)
                        self._submit(batch)
                if not window:
                    return
                self._await(window[0])
                yield window.popleft()
        finally:
            for batch in window:
                self._forget(batch)

    def answer(self, job: Job) -> None:
        """Wait for one job.

        Raises
        ------
        ReproError
            If it has no answer.
        """
        self._submit(job)
        try:
            self._await(job)
        finally:
            if not job.done:
                self._forget(job)

    def close(self) -> None:
        """End the workers for good; whoever waits for them is told."""
        with self._state:
            self._closed = True
            self._fail_all(self._was_closed())
            self._wake()
            while self._pumping not in {None, threading.get_ident()}:
                self._waiting += 1
                self._state.wait()
                self._waiting -= 1
            workers, self._workers = self._workers, []
            self._state.notify_all()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            for end in self._wakeup or ():
                end.close()
            self._wakeup = None
        _end(workers)
        if self._files is not None and self._process == os.getpid():
            self._files.close()

    @property
    def files(self) -> Files | None:
        """What the workers can read files from, if they are to read any."""
        if self._files is None and self._make_files is not None:
            with self._state:  # one, however many threads come with the first file
                if self._files is None:
                    self._files = self._make_files(self._own_engine())
        return self._files

    # -- jobs --------------------------------------------------------------------------------------

    def _room(self, window: deque[Batch]) -> bool:
        if len(window) < DEPTH + 1:
            return True
        held = sum(batch.size for batch in window)
        return len(window) < AHEAD * self._size and held < MAX_AHEAD

    def _submit(self, job: Job) -> None:
        with self._state:
            if self._closed:
                job.fail(self._was_closed())
                return
            self._used = time.monotonic()
            self._jobs.append(job)
            self._hand_out()
            if self._pumping is not None:
                self._wake()

    def _await(self, job: Job) -> None:
        with self._state:
            while not job.done:
                if self._pumping is not None:
                    self._waiting += 1
                    self._state.wait()
                    self._waiting -= 1
                    continue
                self._pumping = threading.get_ident()
                try:
                    self._pump()
                finally:
                    self._pumping = None
                    if self._waiting:
                        self._state.notify_all()
            self._used = time.monotonic()
        if job.error is not None:
            raise job.error

    def _forget(self, job: Job) -> None:
        """Take back a job that nobody waits for any more."""
        with self._state:
            job.done = True
            with suppress(ValueError):
                self._jobs.remove(job)

    def _hand_out(self) -> None:
        """Give the next jobs to those who have the least to do."""
        while self._jobs:
            ready = [w for w in self._workers if w.ready and len(w.pending) < DEPTH]
            if not ready:
                return
            job = self._jobs.popleft()
            if not job.done:
                worker = min(ready, key=lambda worker: len(worker.pending))
                try:
                    worker.ask(job.next_request())
                except BaseException:
                    self._give_up(worker)
                    raise

    def _give_back(self, jobs: list[Job]) -> None:
        """Put jobs that have come back before all others, in their order."""
        self._jobs.extendleft(job for job in reversed(jobs) if not job.done)

    def _fail_all(self, error: BaseException) -> None:
        """Tell every job that there will be no answer."""
        for job in [*self._jobs, *(r.job for w in self._workers for r in w.pending)]:
            if not job.done:
                job.fail(_copied(error))
        self._jobs.clear()

    def _was_closed(self) -> ModelError:
        return ModelError(f"{self._spec.name} was closed before it answered")

    # -- workers -----------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Look after the workers once: start what is missing, and wait until one has something."""
        try:
            self._staff()
        except Exception as error:  # noqa: BLE001  it concerns every job
            self._fail_all(error)
            return
        self._hand_out()
        clocked = self._timeout is not None or not all(w.ready for w in self._workers)
        found = self._poll(self._patience() if clocked else None)
        if self._closed:  # meanwhile
            return
        for worker, event in found:
            try:
                self._serve(worker, event)
            except BaseException:
                self._give_up(worker)
                raise
        if clocked:
            self._end_overdue()
        self._hand_out()

    def _serve(self, worker: Worker, event: int) -> None:
        if event & select.POLLOUT:
            worker.flush()
        if event & ~select.POLLOUT:
            self._receive(worker)

    def _give_up(self, worker: Worker) -> None:
        """End a worker when an interrupt breaks off what is done with it.

        What was sent or read last would be sent again, or missing.
        """
        if worker in self._workers:
            self._workers.remove(worker)
            self._give_back([request.job for request in worker.pending])
            worker.close()

    def _patience(self) -> int | None:
        """Tell for how many milliseconds all may be silent."""
        self._forgive()
        limits = [w.overdue(self._timeout, self._load_timeout) for w in self._workers]
        known = [limit for limit in limits if limit is not None]
        return max(0, int(min(*known, LOOK) * 1000) + 1) if known else None

    def _poll(self, patience: int | None) -> list[tuple[Worker, int]]:
        """Wait for a worker that can be read or written, and let others at the pool meanwhile."""
        workers = {worker.fileno(): worker for worker in self._workers}
        self._wakeup = self._wakeup or _wakeup()
        wakeup = self._wakeup[0].fileno()
        wanted = [(wakeup, False), *((fd, worker.blocked) for fd, worker in workers.items())]
        if wanted != self._polled:
            self._polled, self._poller = wanted, select.poll()
            for descriptor, blocked in wanted:
                self._poller.register(
                    descriptor, select.POLLIN | (select.POLLOUT if blocked else 0)
                )
        self._state.release()
        try:
            found = self._poller.poll(patience)
        finally:
            self._state.acquire()
        self._looked = time.monotonic()
        if any(descriptor == wakeup for descriptor, _ in found):
            self._wakeup[0].recv(4096)
        return [(workers[descriptor], event) for descriptor, event in found if descriptor != wakeup]

    def _forgive(self) -> None:
        """Stop the clocks for the time in which nobody has read what workers write."""
        now = time.monotonic()
        for worker in self._workers:
            worker.since = min(worker.since + now - self._looked, now)
        self._looked = now

    def _staff(self) -> None:
        """Start workers until there are as many as there is work for."""
        if len(self._workers) == self._size:
            return
        wanted = len(self._jobs) + sum(len(worker.pending) for worker in self._workers)
        while len(self._workers) < min(self._size, wanted):
            if self not in _with_workers:  # before the start: there may be a fork meanwhile
                _with_workers.add(self)
                _end_with_process(self)
            engine, files = self._own_engine(), self.files
            mounts = () if files is None else tuple(files.mounts())
            worker = Worker(engine, replace(self._spec, mounts=mounts))
            self._workers.append(worker)
            try:
                worker.start()
            except BaseException:
                self._workers.remove(worker)
                raise
            log.debug("started a worker of %s", self._spec.name)
            self._watch_idleness()

    def _own_engine(self) -> Engine:
        """Return the engine; in a forked child another one: the connections are the parent's."""
        if self._process != os.getpid():
            self._engine = Engine(self._engine.address, self._engine.config)
            self._process = os.getpid()
        return self._engine

    def _receive(self, worker: Worker) -> None:
        was_ready = worker.ready
        try:
            for request in worker.receive():
                if request.out_of_memory:
                    self._lose(worker, worker.out_of_memory(), request)
                    return
                if not request.job.done:
                    request.job.answered(request)
                    self._give_back([request.job])
        except WorkerLost as lost:
            self._lose(worker, lost.error)
            return
        self._greeted = self._greeted or worker.greeted
        if worker.ready and not was_ready:
            self._failed_loads = 0
            self.load_seconds = worker.load_seconds

    def _lose(self, worker: Worker, error: ReproError, request: Request | None = None) -> None:
        """Close a worker that has failed; what it had to do is for others, or has failed."""
        log.debug("lost a worker of %s: %s", self._spec.name, error)
        self._workers.remove(worker)
        pending = [*([request] if request else []), *worker.pending]
        worker.close()
        if not worker.ready:
            self._failed_loads += 1
            self._greeted = self._greeted or worker.greeted
            if not self._greeted and _ended_by_itself(error):
                self._fail_all(NoWorkerMode(error))
            elif self._failed_loads == LOADS or not _may_pass(error):
                self._failed_loads = 0
                self._fail_all(error)
        elif pending and not pending[0].job.done:
            pending[0].job.lost(error)
        self._give_back([one.job for one in pending])

    def _end_overdue(self) -> None:
        self._forgive()
        for worker in list(self._workers):
            left = worker.overdue(self._timeout, self._load_timeout)
            if left is None or left > 0:
                continue
            self._receive(worker)  # perhaps it has answered, and nobody looked
            left = worker.overdue(self._timeout, self._load_timeout)
            if worker in self._workers and left is not None and left <= 0:
                limit = self._timeout if worker.ready else self._load_timeout
                doing = "answer" if worker.ready else "load"
                self._lose(worker, PredictionTimeout(self._spec.name, limit or 0.0, None, doing))

    # -- time, threads and processes ---------------------------------------------------------------

    def _wake(self) -> None:
        """Interrupt whoever waits for the workers."""
        if self._pumping is not None and self._wakeup is not None:
            with suppress(BlockingIOError):
                self._wakeup[1].send(b"!")

    def _watch_idleness(self) -> None:
        if self._idle_timeout is None or self._timer is not None:
            return
        left = max(self._used + self._idle_timeout - time.monotonic(), 0.01)
        self._timer = threading.Timer(min(left, LOOK), _end_if_idle, [weakref.ref(self)])
        self._timer.daemon = True
        self._timer.start()

    def end_if_idle(self) -> None:
        """End the workers if they had nothing to do for long enough."""
        with self._state:
            self._timer = None
            asked = [request.job for worker in self._workers for request in worker.pending]
            if self._pumping or not all(job.done for job in (*self._jobs, *asked)):
                self._used = time.monotonic()
            if self._idle_timeout is None or not self._workers:
                return
            if self._used + self._idle_timeout > time.monotonic():
                self._watch_idleness()
                return
            workers, self._workers = self._workers, []
        _end(workers)

    def leave_to_parent(self) -> None:
        """Let go of the workers in a forked child: they are its parent's."""
        workers, self._workers = self._workers, []
        self._files = None  # they are the parent's, too
        self._begin()
        for worker in workers:
            worker.abandon()
        self._give_back([one.job for worker in workers for one in worker.pending])


def _copied(error: BaseException) -> BaseException:
    """Copy an error that several callers get: each adds to it what it has."""
    if not isinstance(error, ReproError | NoWorkerMode):
        return error
    copied = copy(error)
    copied.__cause__ = error.__cause__
    return copied


def _may_pass(error: ReproError) -> bool:
    """Whether what ended a worker while it loaded may not happen again."""
    return isinstance(error, ContainerError)


def _ended_by_itself(error: ReproError) -> bool:
    return type(error) is ContainerError and error.status < SIGNALLED


def _end(workers: list[Worker]) -> None:
    """Close workers, at the same time if they are many."""
    if len(workers) == 1:
        workers[0].close()
        return
    threads = []
    for worker in workers:
        thread = threading.Thread(target=worker.close)
        try:
            thread.start()
        except RuntimeError:  # at the end of the process there are no new threads
            worker.close()
        else:
            threads.append(thread)
    for thread in threads:
        thread.join()


def _wakeup() -> tuple[socket.socket, socket.socket]:
    pair = socket.socketpair()
    for end in pair:
        end.setblocking(False)
    return pair


def _end_if_idle(pool: weakref.ref[Pool]) -> None:
    if (found := pool()) is not None:
        found.end_if_idle()


_with_workers: weakref.WeakSet[Pool] = weakref.WeakSet()


def _end_with_process(pool: Pool) -> None:
    """End the workers with a process of `multiprocessing`, whose end runs nothing of `atexit`."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        from multiprocessing.util import Finalize

        Finalize(pool, pool.close, exitpriority=100)


def _after_fork() -> None:
    for pool in list(_with_workers):
        pool.leave_to_parent()
    _with_workers.clear()


os.register_at_fork(after_in_child=_after_fork)
