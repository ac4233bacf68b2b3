"""Checks of what a package says of its models: its examples, and what was published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from repro.catalog.claim import Verdict
from repro.operations.checking.findings import Checks, Finding, Skip, error, passed, skipped
from repro.operations.examples import run_examples
from repro.operations.report import Summary, rounded, shown
from repro.operations.reproduction import reproduce

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.operations.checking.subject import Subject
    from repro.operations.reproduction import ClaimResult

CHECKS = Checks("full", "full")

WIDTH = 120  # of a value in a message
WRONG = "correct the program, or the example if that is wrong"


@CHECKS("examples")
def examples(subject: Subject) -> Iterator[Finding]:
    """Have all examples answered, as `repro test` does."""
    _need_images(subject)
    unlimited = bool(subject.options)
    count = 0
    for result in run_examples(subject.card, allow_unlimited=unlimited):
        count += 1
        where = f"{result.model}, {_short(result.input)}"
        if result.error:
            yield error(f"{where}: {result.error}")
        elif not result.passed:
            told = f"{_short(result.expected)} is said, {_short(result.prediction)} answered"
            yield error(f"{where}: {told}", WRONG)
    yield passed(f"{count:,} examples")


@CHECKS("claims")
def claims(subject: Subject) -> Iterator[Finding]:
    """Measure every claim, as `repro reproduce` does."""
    if not subject.card.claims:
        raise Skip("there are no claims")
    _need_images(subject)
    measured = reproduce(
        subject.card,
        allow_unlimited=bool(subject.options),
        patient=True,
        report=subject.report,
    )
    results = []
    for result in measured:
        results.append(result)
        if not result.as_expected:
            yield _unexpected(result)
    yield passed(str(Summary.of(results)))


def _unexpected(result: ClaimResult) -> Finding:
    """Say of a claim what came of it; that its cases are somebody else's is nobody's fault."""
    claim = result.claim
    told = result.error or f"{shown(claim.reported)} is reported, {rounded(result)} found"
    told = f"{claim.model}, {claim.source}: {told}"
    if claim.obtain and result.verdict == Verdict.NOT_RUN:
        return skipped(told)
    remedy = "" if result.error else "find out why, and tell it in the card: `expect`, `why`"
    return error(told, remedy)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _need_images(subject: Subject) -> None:
    for reason in subject.missing.values():
        raise Skip(reason)
