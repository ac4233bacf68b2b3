"""What is measured of workers, streams and pools."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.cases import REPRO, ROOT
from benchmarks.timing import Figure
from repro.engine.base import ensure_base
from repro.engine.client import connect
from repro.models import DockerModel
from repro.models.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CALLS = int(os.environ.get("REPRO_BENCH_CALLS", "2000"))
TWEETS = int(os.environ.get("REPRO_BENCH_TWEETS", "1000000"))
BYTES = int(os.environ.get("REPRO_BENCH_BYTES", "2000000000"))
BLOCK = 100  # calls of one kind before those of the other

ECHO = """
from repro_runtime import main

def load():
    return None

def predict(model, instances):
    return [instance["text"] for instance in instances]

if __name__ == "__main__":
    main(load, predict)
"""
LENGTH = ECHO.replace('instance["text"] for', 'len(instance["text"]) for')
BUSY = ECHO.replace(
    'instance["text"] for', 'sum(i * i % 7 for i in range(int(instance["text"]))) for'
)
BARE_ECHO = """
import sys

for line in sys.stdin:
    sys.stdout.write(line)
    sys.stdout.flush()
"""
MODULE = """
from benchmarks.warm_cases import Echo, Length
from repro.models import Model

Model.register("bench-echo")(Echo)
Model.register("bench-length")(Length)
"""


def _program(code: str) -> Program:
    image = ensure_base(connect(), "bookworm")
    return Program(image=image, command=("python", "-c", code))


class Echo(DockerModel):
    """Answers what it is asked."""

    def resolve(self) -> Program:
        """Tell what is run."""
        return _program(ECHO)

    def predict(self, text: str) -> str:
        """Answer one."""
        return self.answer(text=text)


class Length(DockerModel):
    """Answers how long it is."""

    def resolve(self) -> Program:
        """Tell what is run."""
        return _program(LENGTH)

    def predict(self, text: str) -> int:
        """Answer one."""
        return self.answer(text=text)


class Busy(Length):
    """Counts to its input, in a loop."""

    def resolve(self) -> Program:
        """Tell what is run."""
        return _program(BUSY)


def warm_predict(folder: Path, runs: int) -> list[Figure]:
    """Measure a prediction of an echo model, against a bare attached container."""
    del folder, runs
    ours: list[float] = []
    floor: list[float] = []
    with Echo() as model, _bare_container() as ask:
        model.predict("abc")
        for _ in range(CALLS // BLOCK):
            _time(floor, lambda: ask(b'{"text": "abc"}\n'))
            _time(ours, lambda: model.predict("abc"))
    name = f"a warm predict, median of {len(ours):,}"
    return [_figure(name, "bare attached container", ours, floor, 2.0)]


def later_calls(folder: Path, runs: int) -> list[Figure]:
    """Measure the second and later calls, against the same through file mode, cold."""
    del folder
    warm: list[float] = []
    cold: list[float] = []
    with Echo() as model, Echo(cold=True) as cold_model:
        model.predict("abc")
        for _ in range(runs):
            _time(cold, lambda: cold_model.predict("abc"), 1)
            _time(warm, lambda: model.predict("abc"), BLOCK)
    return [_figure("a cold predict, in warm ones", "warm predict", cold, warm, 300, least=True)]


def many_tweets(folder: Path, runs: int) -> list[Figure]:
    """Measure a file of tweets through VADER, against the same program on the host.

    It needs root, for `chroot`.
    """
    subprocess.run([REPRO, "setup", "hutto2014"], check=True, capture_output=True)
    source, output = folder / "tweets.jsonl", folder / "out.jsonl"
    rows = _tweets(source)
    root = _files_of("repro-models/hutto2014:1.0", folder / "root")
    shutil.copyfile(source, root / "tmp" / "in.jsonl")
    program = (
        "cd /app && exec python run.py --input-file /tmp/in.jsonl --output-file /tmp/out.jsonl"
    )
    bare = ["chroot", root, "env", "PYTHONPATH=/opt/repro", "sh", "-c", program]
    ours, floors, echoes = [], [], []
    for _ in range(max(1, runs // 7)):
        floors.append(_milliseconds(bare))
        ours.append(_milliseconds(_predict("hutto2014-vader", source, output)))
        echoes.append(_milliseconds(_predict("bench-echo", source, output), env=_plugin(folder)))
    on = "run.py in file mode, with the image's Python, in no container"
    speed = f"{rows / median(echoes) * 1000:,.0f} a second"
    return [
        _figure(f"{rows:,} tweets through hutto2014-vader", on, ours, floors, 1.0),
        _figure(f"… through an echo model, {speed}", on, echoes, floors),
    ]


def host_memory(folder: Path, runs: int) -> list[Figure]:
    """Measure the peak memory of the command on a large file, against a small one."""
    del runs
    peaks = []
    for size in (BYTES // 1000, BYTES):
        source = folder / "rows.jsonl"
        row = json.dumps({"text": "a" * 1980}).encode() + b"\n"
        with source.open("wb") as file:
            for _ in range(size // len(row)):
                file.write(row)
        peaks.append(_peak(_predict("bench-length", source, folder / "out.jsonl"), _plugin(folder)))
    small, large = peaks
    return [
        Figure(
            name=f"peak memory on {BYTES / 1e9:g} GB of JSONL",
            floor=f"on {BYTES / 1e6:g} kB",
            value=round(large, 1),
            floor_value=round(small, 1),
            must=60.0,
            runs=1,
            unit="MB",
            kind="difference",
        )
    ]


def two_workers(folder: Path, runs: int) -> list[Figure]:
    """Measure what a second worker wins, against what a second bare process wins."""
    rows = [{"text": "20000"}] * 2000
    whole, half = folder / "whole.jsonl", folder / "half.jsonl"
    for path, part in ((whole, rows), (half, rows[: len(rows) // 2])):
        path.write_text("".join(json.dumps(row) + "\n" for row in part))
    words = [sys.executable, "-c", BUSY]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "repro" / "runtime")}

    def bare(path: Path, count: int) -> float:
        started = time.perf_counter()
        processes = [
            subprocess.Popen(
                [*words, "--input-file", path, "--output-file", folder / f"out-{number}.jsonl"],
                env=environment,
            )
            for number in range(count)
        ]
        if any(process.wait() for process in processes):
            raise subprocess.CalledProcessError(1, words)
        return time.perf_counter() - started

    gains, floors = [], []
    with Busy() as one, Busy(workers=2) as two:
        for model in (one, two):
            model.predict_batch(rows[:256])
        for _ in range(max(3, runs // 4)):
            times = [_took(lambda model=model: model.predict_batch(rows)) for model in (one, two)]
            gains.append(times[0] / times[1])
            floors.append(bare(whole, 1) / bare(half, 2))
    name = "gain of 2 workers, of that of 2 bare processes"
    return [_figure(name, "2 bare processes", gains, floors, 0.9, least=True, unit="times")]


CASES = {
    "warm-predict": warm_predict,
    "later-calls": later_calls,
    "many-tweets": many_tweets,
    "host-memory": host_memory,
    "two-workers": two_workers,
}


@contextmanager
def _bare_container() -> Iterator[Callable[[bytes], bytes]]:
    """Attach to a container that sends back what it is sent, with nothing of `repro` between."""
    import docker

    api: Any = docker.APIClient()
    host = {"AutoRemove": True, "NetworkMode": "none", "Init": True, "LogConfig": {"Type": "none"}}
    config = {
        "Image": ensure_base(connect(), "bookworm"),
        "Cmd": ["python", "-c", BARE_ECHO],
        **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr"), True),
        **dict.fromkeys(("OpenStdin", "StdinOnce"), True),
        "HostConfig": host,
    }
    container = api.create_container_from_config(config)["Id"]
    streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
    connection = api.attach_socket(container, params=streams)._sock  # noqa: SLF001
    api.start(container)

    def read(size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += connection.recv(size - len(data))
        return data

    def ask(line: bytes) -> bytes:
        connection.sendall(line)
        return read(int.from_bytes(read(8)[4:], "big"))

    try:
        ask(b"warm\n")
        yield ask
    finally:
        api.remove_container(container, force=True)


def _time(times: list[float], call: Callable[[], object], count: int = BLOCK) -> None:
    times.extend(_took(call) * 1000 for _ in range(count))


def _took(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _figure(  # noqa: PLR0913  as a Figure has
    name: str,
    floor: str,
    measured: list[float],
    floors: list[float],
    must: float | None = None,
    *,
    least: bool = False,
    unit: str = "ms",
) -> Figure:
    return Figure(
        name=name,
        floor=floor,
        value=round(median(measured), 4),
        floor_value=round(median(floors), 4),
        must=must,
        runs=len(measured),
        unit=unit,
        at_least=least,
    )


def _tweets(path: Path) -> int:
    """Write the tweets of the paper, again and again."""
    from repro.models import load

    with load("hutto2014-vader") as model:
        lines = [json.dumps(row["input"]).encode() + b"\n" for row in model.dataset("tweets")]
    with path.open("wb") as file:
        for number in range(TWEETS):
            file.write(lines[number % len(lines)])
    return TWEETS


def _files_of(image: str, folder: Path) -> Path:
    """Unpack the files of an image, so that its program runs with its Python in no container."""
    made = subprocess.run(["docker", "create", image], check=True, capture_output=True, text=True)
    container = made.stdout.strip()
    folder.mkdir()
    try:
        unpack = f"docker export {container} | tar --extract --directory {folder}"
        subprocess.run(["sh", "-c", unpack], check=True, capture_output=True)
    finally:
        subprocess.run(["docker", "rm", container], check=True, capture_output=True)
    return folder


def _plugin(folder: Path) -> dict[str, str]:
    """Make the models of this module known to the command, as packages without a card are."""
    (folder / "sitecustomize.py").write_text(MODULE)
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def _predict(model: str, source: Path, output: Path) -> list[object]:
    words = [REPRO, "predict", "--silent", "--model", model]
    return [*words, "--input", source, "--output", output]


def _milliseconds(
    words: list[object], *, cwd: Path | None = None, env: dict[str, str] | None = None
) -> float:
    environment = {**os.environ, **(env or {})}
    return (
        _took(
            lambda: subprocess.run(words, cwd=cwd, env=environment, check=True, capture_output=True)
        )
        * 1000
    )


def _peak(words: list[object], env: dict[str, str]) -> float:
    """Tell the most memory that a command has held, in MB."""
    process = subprocess.Popen(words, env={**os.environ, **env})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return usage.ru_maxrss / 1000
