"""What a check is, and what it finds."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from repro.operations.checking.subject import Subject

Level = Literal["card", "build", "contract", "full"]
Outcome = Literal["passed", "skipped", "warning", "error"]
LEVELS: tuple[Level, ...] = ("card", "build", "contract", "full")
OUTCOMES: tuple[Outcome, ...] = ("passed", "skipped", "warning", "error")  # the worst is the last


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check has found; a check that finds nothing has passed.

    Parameters
    ----------
    outcome : "passed", "skipped", "warning" or "error"
        What it means.
    message, remedy : str
        What was found, and what to do.
    """

    outcome: Outcome
    message: str = ""
    remedy: str = ""


def error(message: str, remedy: str = "") -> Finding:
    """Say what is wrong."""
    return Finding(outcome="error", message=message, remedy=remedy)


def warning(message: str, remedy: str = "") -> Finding:
    """Say what should be better."""
    return Finding(outcome="warning", message=message, remedy=remedy)


def skipped(message: str, remedy: str = "") -> Finding:
    """Say what was not looked at, and why."""
    return Finding(outcome="skipped", message=message, remedy=remedy)


def passed(message: str) -> Finding:
    """Say what was measured where nothing is wrong."""
    return Finding(outcome="passed", message=message)


class Skip(Exception):
    """There is no way to check this here; says why."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: its stable name, the level that it belongs to, and the function that does it."""

    name: str
    level: Level
    run: Callable[[Subject], Iterable[Finding]]

    @property
    def about(self) -> str:
        """What it looks at, in a sentence."""
        return (inspect.getdoc(self.run) or "").partition("\n\n")[0].replace("\n", " ")


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one check of a package has found."""

    check: str
    level: Level
    findings: tuple[Finding, ...]
    seconds: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """The worst of what was found; what was skipped in part has not passed."""
        found: list[Outcome] = [finding.outcome for finding in self.findings]
        return max(found, key=OUTCOMES.index, default="passed")


class Checks(list[Check]):
    """The checks of one module, in the order in which they are made.

    Parameters
    ----------
    group : str
        What their names begin with.
    level : str
        The level that they belong to.
    """

    def __init__(self, group: str, level: Level) -> None:
        super().__init__()
        self._group, self._level = group, level

    def __call__(
        self, name: str
    ) -> Callable[[Callable[[Subject], Iterable[Finding]]], Callable[[Subject], Iterable[Finding]]]:
        """Add the function below as a check of this name."""

        def add(
            run: Callable[[Subject], Iterable[Finding]],
        ) -> Callable[[Subject], Iterable[Finding]]:
            self.append(Check(name=f"{self._group}.{name}", level=self._level, run=run))
            return run

        return add
