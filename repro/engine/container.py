"""One run of a container: start, wait, logs, exit status, clean-up."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from repro.common.text import printable
from repro.engine import podman
from repro.engine.client import translated
from repro.engine.exchange import MAX_ENTRIES
from repro.engine.isolation import default_memory, engine_config, has_gpu, hide_volumes
from repro.engine.spec import GIB, ContainerSpec
from repro.engine.stream import frames
from repro.errors import (
    ContainerError,
    DeviceUnavailable,
    EngineError,
    EngineUnavailable,
    OutOfMemory,
    OutputError,
    PredictionTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.engine.client import Engine
    from repro.engine.exchange import Exchange

KEPT_LINES = 50
KEPT_BYTES = 8192  # of one line
TICK = 0.05  # seconds between two looks at the exchange directory
SUBSCRIPTIONS = 5  # to the events of one container
CLEAN_UP = 20  # seconds that the engine has to end and remove a container
DISK_SHARE = 0.9  # of what is free on the host's disk
OTHERS = GIB  # that other programs may write there during a run

# Runs a command as if there were no shell: same process, no child. Beside it a shell waits for the
# end of the standard input, which comes with the end of the process that started the container; the
# runtime need not do the same.
_WATCHED = """
unset REPRO_WATCH_STDIN
exec 3<&0 </dev/null
( { while read -r _; do :; done; kill -9 $$; } <&3 3<&- >/dev/null 2>&1 & )
exec 3<&-
exec "$@"
"""
WATCHED = ("/bin/sh", "-c", _WATCHED, "sh")

_LIMITS = {"memory": "Memory", "processes": "PidsLimit", "processors": "NanoCpus"}
_NO_PROGRAM = (
    "executable file not found",
    "no such file or directory",
    "permission denied",
    "is a directory",
)


def run(
    engine: Engine,
    spec: ContainerSpec,
    exchange: Exchange | None = None,
    *,
    on_output: Callable[[int, bytes], None] | None = None,
    on_tick: Callable[[], None] | None = None,
) -> None:
    """Run a container to its end and remove it, however it ends.

    Parameters
    ----------
    engine : Engine
        Where to run it.
    spec : ContainerSpec
        What to run.
    exchange : Exchange, optional
        The directory it shares with the host.
    on_output : callable, optional
        Gets every piece of what the program prints, and the stream: 1 is its standard output, 2 its
        standard error.
    on_tick : callable, optional
        Called about 20 times a second while it runs.

    Raises
    ------
    ContainerError
        If the program ends with a non-zero status; `OutOfMemory` if it was killed for that.
    OutputError
        If it leaves more in the exchange directory than it may.
    PredictionTimeout
        If it runs longer than it may.
    EngineError
        If the engine cannot run it.
    """
    if exchange is not None:
        exchange.push(spec.image)
    container = _ended(Container(engine, spec, exchange, on_output), on_tick)
    if container.lacks_shell:
        bare = Container(engine, spec, exchange, on_output, watched=False)
        container = _ended(bare, on_tick)
    container.check_limits()
    if exchange is not None:
        exchange.pull(spec.max_output, spec.name)
    container.check_status()


def _ended(container: Container, on_tick: Callable[[], None] | None) -> Container:
    try:
        container.start()
        container.wait(on_tick)
    finally:
        container.close()
    return container


@dataclass
class Fate:
    """What the engine has told of a container's end."""

    status: int | None = None
    out_of_memory: bool = False
    died: threading.Event = field(default_factory=threading.Event)
    removed: threading.Event = field(default_factory=threading.Event)
    lost: Exception | None = None
    dismissed: bool = False  # we listen no more
    refused: Exception | None = None  # what the caller said to the output


class Container:
    """A container from its creation to its removal.

    Standard input, output and error are attached before the start, and events are subscribed: the
    engine removes the container by itself at its end, so nothing can be asked afterwards. Standard
    input stays open as long as this process lives; a program that watches it ends with us.

    `watched` puts a shell around the program that does that for it. Where it is not `followed`, the
    caller talks to it over `connection`.
    """

    def __init__(
        self,
        engine: Engine,
        spec: ContainerSpec,
        exchange: Exchange | None = None,
        on_output: Callable[[int, bytes], None] | None = None,
        *,
        watched: bool = True,
        followed: bool = True,
    ) -> None:
        self.engine, self.spec, self.exchange = engine, spec, exchange
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.fate = Fate()
        self._on_output, self._watched, self._followed = on_output, watched, followed
        self._log = logging.getLogger(f"repro.container.{spec.name or spec.image}")
        self._problem: Exception | None = None
        self._ended = 0.0  # when it was told to end
        self._id: str | None = None
        self._socket: Any = None
        self._unlimited: list[str] = []  # what the engine does not limit
        self._events: Any = None
        self._created = 0  # whole seconds, by the engine's clock
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Create it, attach to it, and start it; again another way if the engine has not this."""
        gpu_runtime = False
        while True:
            config = engine_config(self.engine, self.spec, self.exchange, gpu_runtime=gpu_runtime)
            if self._watched:
                config["Cmd"] = [*WATCHED, *self.spec.command]
            try:
                self._create_and_start(config)
            except DeviceUnavailable:
                if gpu_runtime or "nvidia" not in self.engine.info.get("Runtimes", {}):
                    raise
                gpu_runtime = True
            except ContainerError:
                if not self._watched:
                    raise
                self._watched = False  # the image has no shell
            else:
                return
            self.close()
            self._id = self._socket = self._events = None
            self._threads, self.fate = [], Fate()

    def _create_and_start(self, config: dict[str, Any]) -> None:
        api = self.engine.api
        with translated(self.engine.address):
            about = api.inspect_image(self.spec.image_id or self.spec.image)["Config"] or {}
            hide_volumes(about.get("Volumes") or (), config["HostConfig"])
            self._id = f"repro-{uuid4().hex}"  # named by us: an interrupt cannot lose it
            api.create_container_from_config(config, self._id)
            made = api.inspect_container(self._id)
            self._created = _seconds(made["Created"])
            self._subscribe()
        self._check_grants(config["HostConfig"], made["HostConfig"])
        try:
            with translated(self.engine.address):
                streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                self._socket = api.attach_socket(self._id, params=streams)  # podman makes it here
                self._follow(self._follow_events)
                if self._followed:
                    self._follow(self._follow_output)
                api.start(self._id)
        except EngineError as error:
            raise self._start_failure(error) from error
        self._log.debug("started %s as %s", self.spec.image, self._id[:12])

    def _check_grants(self, asked: dict[str, Any], granted: dict[str, Any]) -> None:
        """Raise if the engine has taken no notice of something that was asked for."""
        if self.spec.gpu is not None and not has_gpu(granted):
            raise self._no_gpu()
        self._unlimited = [
            w for w, key in _LIMITS.items() if asked.get(key) and not granted.get(key)
        ]
        allowed = self.spec.allow_unlimited or self.engine.config.allow_unlimited
        if self._unlimited and not allowed:
            raise EngineError(
                f"the engine has dropped the limits on {' and '.join(self._unlimited)}, so a model "
                "could take all there is; use a rootful engine, or one on cgroup v2, or accept it "
                "with --allow-unlimited (allow_unlimited in Python and in the configuration)"
            )

    def _subscribe(self) -> None:
        """Ask for its events, those before the answer too: from its creation on, in engine time."""
        which = {"container": self._id, "type": "container"}
        self._events = self.engine.api.events(since=self._created, decode=True, filters=which)

    def _follow(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.append(thread)

    def wait(self, on_tick: Callable[[], None] | None = None) -> None:
        """Wait for its end; end it when it runs too long or writes too much."""
        started = time.monotonic()
        limit, disks = self._output_limit(), self._disks()
        while not self.fate.died.wait(TICK):
            if self.fate.lost is not None:
                raise EngineUnavailable(
                    str(self.engine.address), "the connection was lost", "`repro doctor` tells more"
                ) from self.fate.lost
            if on_tick is not None:
                on_tick()
            if self._problem is None:
                problem = self.fate.refused or self._overdue(started)
                problem = problem or self._excess(limit) or self._fall(disks)
                if problem is not None:
                    self._end(problem)
            elif time.monotonic() - self._ended > CLEAN_UP:
                raise self._problem
        if self._problem is None:
            self._problem = self._excess(limit)

    @property
    def lacks_shell(self) -> bool:
        """Whether nothing has run, as there was no shell in the image to watch it."""
        said = next(iter(self.lines), "")
        missing = self.fate.status == 127 and len(self.lines) == 1 and "exec /bin/sh failed" in said
        missing = missing or podman.lacks_program(self.fate.status, self.lines)
        return self._watched and missing

    def check_limits(self) -> None:
        """Raise if it was ended for running too long or writing too much."""
        problem = self._problem or self.fate.refused
        if problem is not None:
            raise problem

    def check_status(self) -> None:
        """Raise if it did not end with status 0, or something in it was killed for memory."""
        status = self.fate.status
        if podman.lacks_program(status, self.lines):
            problem = f"{self.spec.command[0]}: {self.lines[0]}"
            raise ContainerError(self.spec.image, self.spec.command, 127, [problem])
        if status is None:
            raise EngineError(
                f"the engine did not say how the container of {self.spec.image} ended"
            )
        limited = "memory" not in self._unlimited
        unexplained = status == 137 and limited and not self.engine.tells_out_of_memory
        if self.fate.out_of_memory or unexplained:
            limit = self.spec.memory or default_memory(self.engine)
            told = (self.spec.image, self.spec.command, status, tuple(self.lines))
            raise OutOfMemory(*told, limit, self.fate.out_of_memory)
        if status != 0:
            raise ContainerError(self.spec.image, self.spec.command, status, tuple(self.lines))

    def close(self) -> None:
        """End it if it runs, and wait until the engine has removed it."""
        if self._id is None:
            return
        if not self._followed:  # nobody reads what it writes, and the engine would wait for that
            self._hang_up()
        try:
            if not self.fate.removed.is_set():
                self._remove()
        except EngineError as error:  # must not hide why we end
            self._log.warning("could not remove container %s: %s", self._id[:12], error)
        if self.fate.removed.is_set():  # both streams end then: read them to their end
            self._join()
        self._disconnect()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(CLEAN_UP)

    def _hang_up(self) -> None:
        if self._socket is not None:  # closing alone would not wake a thread that reads
            with self._tried():  # a file of a socket, or a socket itself if that speaks TLS
                getattr(self._socket, "_sock", self._socket).shutdown(socket.SHUT_RDWR)
            with self._tried():
                self._socket.close()

    def _disconnect(self) -> None:
        self.fate.dismissed = True
        self._hang_up()
        if self._events is not None:
            with self._tried():
                self._events.close()

    @contextmanager
    def _tried(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001  clean-up must not hide why we end
            self._log.debug("could not disconnect: %s", error)

    def _remove(self) -> None:
        """Remove it by force unless it died by itself; the engine then does it, and says when."""
        if self.fate.died.is_set() and self._is_removed(CLEAN_UP / 2):
            return
        from docker.errors import APIError

        with translated(self.engine.address), suppress(APIError):  # gone, or going
            self.engine.api.remove_container(self._id, v=True, force=True)
        if self._threads:
            self._is_removed(CLEAN_UP)

    def _is_removed(self, seconds: float) -> bool:
        """Wait until the engine says that it is removed, as long as it can say so."""
        deadline = time.monotonic() + seconds
        while not (removed := self.fate.removed.wait(TICK)):
            if self.fate.lost is not None or time.monotonic() > deadline:
                break
        return removed

    def _end(self, problem: Exception) -> None:
        from docker.errors import APIError

        self._problem, self._ended = problem, time.monotonic()
        with translated(self.engine.address), suppress(APIError):  # it ended by itself meanwhile
            self.engine.api.kill(self._id)

    def _overdue(self, started: float) -> PredictionTimeout | None:
        if self.spec.timeout is None or time.monotonic() - started <= self.spec.timeout:
            return None
        return PredictionTimeout(self.spec.name, self.spec.timeout)

    def _output_limit(self) -> int:
        if self.exchange is None:
            return self.spec.max_output
        most = min(self.spec.max_output, int(self.exchange.free() * DISK_SHARE))
        return most + self.exchange.size()[0]  # what we wrote ourselves is not its output

    def _disks(self) -> dict[str, tuple[int, int]]:
        """Tell what is free where it can write on this machine, and how far that may fall.

        Files that were removed while they are open take space and have no name.
        """
        if not self.engine.local:
            return {}
        shared = [str(self.exchange.directory)] if self.exchange is not None else []
        free = {path: shutil.disk_usage(path).free for path in (*shared, *self.spec.volumes)}
        most = max(self.spec.max_output, OTHERS)
        return {path: (now, min(most, int(now * DISK_SHARE))) for path, now in free.items()}

    def _fall(self, disks: dict[str, tuple[int, int]]) -> OutputError | None:
        for path, (before, most) in disks.items():
            with suppress(OSError):
                if before - shutil.disk_usage(path).free > most:
                    problem = f"the free space at {path} fell by more than {most:,} bytes"
                    return OutputError(self.spec.name, f"{problem} while it ran, so it was ended")
        return None

    def _excess(self, limit: int) -> OutputError | None:
        if self.exchange is None:
            return None
        size, entries = self.exchange.size()
        if size >= limit:
            may = min(limit, self.spec.max_output)
            return OutputError(self.spec.name, f"it wrote more than the {may:,} bytes it may")
        if entries > MAX_ENTRIES:
            problem = f"it left more than {MAX_ENTRIES:,} files, or directories nested too deep"
            return OutputError(self.spec.name, f"{problem} or that cannot be read")
        return None

    def _follow_events(self) -> None:
        """Follow its events until it is removed; again when podman has cut its log of them."""
        for attempt in range(SUBSCRIPTIONS):
            if attempt > 0 and not self._ask_again():
                return
            self._read_events()
            if self.fate.removed.is_set() or self.fate.lost is not None:
                return
        self.fate.lost = ConnectionError("the engine ended its event stream")

    def _ask_again(self) -> bool:
        time.sleep(TICK)
        if self.fate.dismissed:
            return False
        try:
            self._subscribe()
        except Exception as error:  # noqa: BLE001  it has gone, then
            self.fate.lost = error
        return self.fate.lost is None

    def _read_events(self) -> None:
        try:
            for event in self._events:
                match str(event.get("status", "")).partition(":")[0]:
                    case "oom":
                        self.fate.out_of_memory = True
                    case "die":
                        status = event["Actor"]["Attributes"].get("exitCode")
                        self.fate.status = None if status is None else int(status)
                        self.fate.died.set()
                    case "destroy" | "remove":
                        self.fate.removed.set()
                        return
                    case _:
                        pass
        except Exception as error:  # noqa: BLE001  any end of the stream before the container's is a loss
            self.fate.lost = error

    def _follow_output(self) -> None:
        begun: dict[int, bytes] = {}  # the line that each stream is in
        with suppress(OSError, ValueError):  # closed by us, while it waited
            for stream, piece in frames(self._socket):
                self._hand_out(stream, piece)
                *whole, last = (begun.get(stream, b"") + piece).split(b"\n")
                for line in whole:
                    self.keep(line)
                begun[stream] = last[:KEPT_BYTES]
        for line in filter(None, begun.values()):
            self.keep(line)

    def _hand_out(self, stream: int, piece: bytes) -> None:
        if self._on_output is None or self.fate.refused is not None:
            return
        try:
            self._on_output(stream, piece)
        except Exception as error:  # noqa: BLE001  raised where the caller waits
            self.fate.refused = error

    @property
    def connection(self) -> socket.socket:
        """The attached streams: what is sent is its standard input; frames of output come back."""
        connection: socket.socket = getattr(self._socket, "_sock", self._socket)
        return connection

    def abandon(self) -> None:
        """Let go of it in a forked child: it is its parent's, whose end must still be seen inside.

        Nothing is shut down, as that would end the parent's streams as well.
        """
        with self._tried():
            os.close(self.connection.detach())
        self._id = None

    def keep(self, line: bytes) -> None:
        """Remember a line that its program has printed, for messages and the log."""
        text = printable(line[:KEPT_BYTES].decode(errors="replace").rstrip("\r"))
        self.lines.append(text)
        if not self.spec.quiet:
            self._log.debug("%s", text)

    def _no_gpu(self) -> DeviceUnavailable:
        return DeviceUnavailable(f"GPU {self.spec.gpu}", "this engine has no NVIDIA GPUs to give")

    def _start_failure(self, error: EngineError) -> Exception:
        message = str(error)
        if "could not select device driver" in message or "nvidia-container" in message:
            return self._no_gpu()
        if "exec" in message and any(words in message for words in _NO_PROGRAM):
            return ContainerError(self.spec.image, self.spec.command, 127, [message])
        return error


def _seconds(created: str) -> int:
    """Read the whole seconds of the engine's RFC 3339 time."""
    from datetime import datetime

    return int(datetime.fromisoformat(created[:19] + "+00:00").timestamp())
