"""Time commands against each other: in turn, so that what disturbs one disturbs all."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command to time; `before` runs untimed before each of its runs."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None

    def seconds(self) -> float:
        """Run it once.

        Raises
        ------
        CalledProcessError
            If it fails: there is nothing to time then.
        """
        self.before()
        # Compiled modules are written at the first run, as on a user's machine.
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        started = time.perf_counter()
        subprocess.run(
            self.words,
            env={**inherited, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
        )
        return time.perf_counter() - started


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What came of one comparison; times are medians, in milliseconds.

    `ratio` is what is measured over its floor; `difference`, where that counts, is in `unit`.
    """

    name: str
    floor: str  # what it is compared with
    value: float
    floor_value: float
    must: float | None  # the bound that is good enough
    runs: int
    unit: str = "ms"
    kind: str = "ratio"  # or "difference"
    at_least: bool = False  # whether `must` is the smallest, not the largest, good one

    @property
    def result(self) -> float:
        """What counts."""
        if self.kind == "difference":
            return round(self.value - self.floor_value, 1)
        return round(self.value / self.floor_value, 3)

    @property
    def holds(self) -> bool | None:
        """Whether it is good enough; None if nothing was asked of it."""
        if self.must is None:
            return None
        return self.result >= self.must if self.at_least else self.result <= self.must


def compare(
    floor: tuple[str, Command],
    others: Mapping[str, tuple[Command, float | None]],
    runs: int,
) -> list[Figure]:
    """Time commands in turn with their floor: A B A B, after one run of each that does not count.

    Parameters
    ----------
    floor : tuple of str and Command
        What it is called, and what it is.
    others : mapping of str to (Command, float or None)
        By name: what is compared with the floor, and the largest ratio that is good enough.
    runs : int
        How often each is run.
    """
    commands = {"": floor[1], **{name: command for name, (command, _) in others.items()}}
    for command in commands.values():
        command.seconds()
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(command.seconds())
    medians = {name: median(found) * 1000 for name, found in times.items()}
    return [
        Figure(
            name=name,
            floor=floor[0],
            value=round(medians[name], 1),
            floor_value=round(medians[""], 1),
            must=must,
            runs=runs,
        )
        for name, (_, must) in others.items()
    ]
