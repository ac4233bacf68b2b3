"""Make the checks of a package, each whatever came of the others."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repro.catalog import find_package, list_packages
from repro.engine.client import connect
from repro.errors import ReproError
from repro.operations.checking import build, buildfile, card, contract, full
from repro.operations.checking.findings import (
    LEVELS,
    Check,
    CheckResult,
    Finding,
    Level,
    Outcome,
    Skip,
    error,
    skipped,
)
from repro.operations.checking.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = logging.getLogger(__name__)

CHECKS: tuple[Check, ...] = (
    *card.CHECKS,
    *buildfile.CHECKS,
    *build.CHECKS,
    *contract.CHECKS,
    *full.CHECKS,
)


@dataclass(frozen=True, kw_only=True)
class PackageReport:
    """What came of the checks of one package, in the order in which they were made."""

    package: str
    level: Level
    results: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong; what was skipped or should be better is told, and passes."""
        return not self.count("error")

    @property
    def seconds(self) -> float:
        """How long they took."""
        return sum(result.seconds for result in self.results)

    def count(self, outcome: Outcome) -> int:
        """Count the checks that came out so."""
        return sum(result.outcome == outcome for result in self.results)


def check_packages(
    packages: Sequence[str],
    level: Level = "full",
    *,
    build: bool = False,
    allow_unlimited: bool = False,
    report: Callable[[str], None] = lambda _line: None,
) -> Iterator[PackageReport]:
    """Check packages, one after the other; what is wrong with one stops no other.

    Parameters
    ----------
    packages : sequence of str
        Their names.
    level : "card", "build", "contract" or "full"
        How far to go; each level includes those before it.
    build : bool
        Build the images from nothing, although they are there; at the level "build" they always
        are.
    allow_unlimited : bool
        Run also where the engine cannot limit memory and processes.
    report : callable, optional
        Gets a line of what goes on.

    Raises
    ------
    UnknownNameError
        If a package is not there; nothing was checked.
    EngineUnavailable
        If there is no engine, and the level needs one.
    """
    known = list_packages()
    for package in packages:
        if package not in known:
            find_package(package)  # which says why it is none
    if level != "card":
        connect()
    return (
        _check(package, level, build or level == "build", allow_unlimited, report)
        for package in packages
    )


def _check(
    package: str,
    level: Level,
    build: bool,  # noqa: FBT001
    allow_unlimited: bool,  # noqa: FBT001
    report: Callable[[str], None],
) -> PackageReport:
    wanted = LEVELS[: LEVELS.index(level) + 1]
    with Subject(
        package,
        build=build,
        allow_unlimited=allow_unlimited,
        report=lambda line: report(f"{package}: {line}"),
    ) as subject:
        results = [_run(check, subject) for check in CHECKS if check.level in wanted]
    return PackageReport(package=package, level=level, results=tuple(results))


def _run(check: Check, subject: Subject) -> CheckResult:
    started = time.monotonic()
    subject.report(check.name)
    found: list[Finding] = []
    try:
        for finding in check.run(subject):
            found.append(finding)  # noqa: PERF402  extend drops what came before an error
    except Skip as reason:
        found.append(skipped(*reason.args))
    except ReproError as problem:
        found.append(error(str(problem)))
    except PermissionError as problem:
        found.append(error(f"{problem.filename}: {problem.strerror}"))
    except Exception as problem:
        log.exception("%s of %s", check.name, subject.package)
        message = f"the check itself failed: {type(problem).__name__}: {problem}"
        found.append(error(message, "please report it, with what `repro -v check` prints"))
    seconds = round(time.monotonic() - started, 3)
    return CheckResult(check=check.name, level=check.level, findings=tuple(found), seconds=seconds)
