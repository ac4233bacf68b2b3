"""Predict for a long time while workers are killed: `scripts/soak --help`.

It ends with status 1 if an answer is wrong, missing or out of order, or something is left.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from repro.engine.base import ensure_base
from repro.engine.client import connect
from repro.engine.exchange import owner_labels
from repro.engine.owner import LABEL
from repro.models import DockerModel
from repro.models.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import hashlib
from repro_runtime import main

def load():
    return hashlib.sha256

def predict(sha256, instances):
    return [sha256(instance["text"].encode()).hexdigest() for instance in instances]

if __name__ == "__main__":
    main(load, predict)
"""
STREAM_SHARE = 0.9  # of the predictions; the rest are single ones, of another thread
SETTLE = 10  # seconds that the system has to take back what was given up


class Digest(DockerModel):
    """SHA-256, whose every answer can be checked."""

    def resolve(self) -> Program:
        """Tell what is run."""
        image = ensure_base(connect(), "bookworm")
        return Program(image=image, command=("python", "-c", PROGRAM))

    def predict(self, text: str) -> str:
        """Return the digest of one text, in hexadecimal."""
        return self.answer(text=text)


@dataclass(frozen=True)
class Held:
    """What a process holds of the system."""

    containers: int
    threads: int
    descriptors: int
    files: int

    @classmethod
    def now(cls) -> Held:
        """Count; idle connections to the engine, which its client keeps for later, go before."""
        gc.collect()
        label = f"{LABEL}={owner_labels()[LABEL]}"
        containers = len(connect().api.containers(all=True, filters={"label": label}))
        connect().api.close()
        return cls(
            containers=containers,
            threads=threading.active_count(),
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
            files=len(list(Path(tempfile.gettempdir()).glob("repro-*"))),
        )

    def more_than(self, before: Held) -> dict[str, int]:
        """Tell what there is more of."""
        now, then = asdict(self), asdict(before)
        return {name: now[name] - then[name] for name in now if now[name] > then[name]}


@dataclass
class Soak:
    """What came of it."""

    predictions: int = 0
    wrong: int = 0
    killed: int = 0
    seconds: float = 0.0
    isolated: int = 0
    left: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every answer was right, in order, and nothing is left."""
        return not (self.wrong or self.left or self.problems)


def soak(predictions: int, seconds: float, kill_every: float, *, seed: int = 0) -> Soak:
    """Predict, evenly over some time, while a worker is killed now and then.

    Parameters
    ----------
    predictions : int
        How many; nine tenths in one stream over two workers, the rest alone, in a second thread.
    seconds : float
        Over how long.
    kill_every : float
        Seconds from one killed worker to the next.
    seed : int
        Which one is killed.
    """
    result = Soak()
    connect().api.ping()
    with Digest(workers=2, batch_size=16) as model:  # what the first use of all leaves stays
        model.predict("")
    before = Held.now()
    started = time.monotonic()
    over = threading.Event()
    with Digest(workers=2, batch_size=16) as model:
        streamed = int(predictions * STREAM_SHARE)
        alone = threading.Thread(
            target=_one_by_one, args=(model, predictions - streamed, seconds, result)
        )
        killer = threading.Thread(target=_kill, args=(kill_every, seed, over, result))
        alone.start()
        killer.start()
        try:
            _in_a_stream(model, streamed, seconds, result)
        except Exception as error:  # noqa: BLE001  it is reported
            result.problems.append(f"the stream: {error!r}")
        alone.join()
        over.set()
        killer.join()
        result.isolated = model.isolated
    result.seconds = round(time.monotonic() - started, 1)
    deadline = time.monotonic() + SETTLE
    while (left := Held.now().more_than(before)) and time.monotonic() < deadline:
        time.sleep(0.1)
    result.left = left
    if result.predictions != predictions:
        result.problems.append(f"{result.predictions:,} of {predictions:,} were answered")
    return result


_counting = threading.Lock()


def _in_a_stream(model: Digest, count: int, seconds: float, result: Soak) -> None:
    instances = ({"text": f"s{number}"} for number in _paced(count, seconds))
    for number, digest in enumerate(model.predict_stream(instances)):
        _check(f"s{number}", digest, result)


def _one_by_one(model: Digest, count: int, seconds: float, result: Soak) -> None:
    try:
        for number in _paced(count, seconds):
            _check(f"o{number}", model.predict(f"o{number}"), result)
    except Exception as error:  # noqa: BLE001  it is reported
        result.problems.append(f"one by one: {error!r}")


def _check(text: str, digest: str, result: Soak) -> None:
    with _counting:
        result.predictions += 1
        result.wrong += digest != hashlib.sha256(text.encode()).hexdigest()


def _paced(count: int, seconds: float) -> Iterator[int]:
    """Yield numbers evenly over some time."""
    started = time.monotonic()
    for number in range(count):
        ahead = started + seconds * number / count - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        yield number


def _kill(every: float, seed: int, over: threading.Event, result: Soak) -> None:
    """Kill one of our containers at random, again and again."""
    from docker.errors import APIError

    chance = random.Random(seed)  # noqa: S311  nothing is secret
    label = f"{LABEL}={owner_labels()[LABEL]}"
    api = connect().api
    while not over.wait(every):
        running = sorted(c["Id"] for c in api.containers(filters={"label": label}))
        if running:
            try:
                api.kill(chance.choice(running))
            except APIError:  # it has ended meanwhile
                continue
            result.killed += 1


def main() -> None:
    """Soak, and tell."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--predictions", type=int, default=200_000)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--kill-every", type=float, default=20.0, metavar="SECONDS")
    given = parser.parse_args()
    result = soak(given.predictions, given.minutes * 60, given.kill_every)
    json.dump(asdict(result), sys.stdout, indent=1)
    sys.stdout.write(os.linesep)
    sys.exit(0 if result.passed else 1)


if __name__ == "__main__":
    main()
