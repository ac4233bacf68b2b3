"""Claims: what somebody published about a model's output, and whether a value bears it out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, localcontext
from enum import Enum
from typing import TYPE_CHECKING, Literal

from repro.catalog.metrics import METRICS, same
from repro.common.jsonlines import MAX_DIGITS
from repro.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repro.catalog.table import Table

DIGITS = 12
_MODEL = re.compile(r"[a-z]+\d{4}-[a-z0-9-]+")
Reported = str | list[object] | dict[str, object]


class Verdict(str, Enum):
    """What came of a claim."""

    REPRODUCED = "reproduced"
    DIFFERS = "differs"
    NOT_RUN = "not run"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One published value.

    It is about a data set (`dataset`, or the rows of the file `cases`) under a `metric`, about one
    `input`, or about what a model that is a metric gives over some `inputs` together. A row of
    `cases` has an ``input``, or the ``inputs`` of a corpus, and what is ``expected`` of them.
    `options` are those that the model is made or called with, as its class takes them.

    The metric is one of ours, or a model that is one: it is made with `metric_options`, gets the
    prediction as candidate and the label as only reference, and the value is at `metric_path` of
    what it says of all rows together. `obtain` says where the file `cases` comes from, if it may
    not be passed on.
    """

    model: str
    reported: Reported
    source: str
    dataset: str = ""
    split: str = ""
    cases: str = ""
    input: Mapping[str, object] | None = None
    inputs: tuple[Mapping[str, object], ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    metric: str = ""
    metric_options: Mapping[str, object] = field(default_factory=dict)
    metric_path: str = ""
    obtain: str = ""
    path: str = ""
    tolerance: str = ""
    tolerance_reason: str = ""
    expect: Literal["reproduces", "differs"] = "reproduces"
    why: str = ""

    @property
    def subject(self) -> str:
        """What the value is measured on."""
        if self.dataset:
            return f"{self.dataset}/{self.split}" if self.split else self.dataset
        if self.inputs:
            return f"{len(self.inputs)} instances"
        return self.cases or ", ".join(f"{value}" for value in (self.input or {}).values())

    @property
    def metric_is_model(self) -> bool:
        """Whether the metric is a model, and not one of ours."""
        return bool(_MODEL.fullmatch(self.metric))

    @property
    def over_rows(self) -> bool:
        """Whether it is about a data set or a suite, under a metric of ours."""
        return bool(self.dataset or self.cases)

    def as_expected(self, verdict: Verdict) -> bool:
        """Whether the verdict is the one that the card expects."""
        expected = Verdict.REPRODUCED if self.expect == "reproduces" else Verdict.DIFFERS
        return verdict == expected


def difference(claim: Claim, value: object) -> Decimal | None:
    """Tell how far a number is from the reported one, exactly; None if they are no numbers.

    Of a float the first 12 digits count, or as many as were reported: the rest is noise.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not isinstance(claim.reported, str) or not _is_number(claim.reported):
        return None
    with localcontext() as context:
        context.prec = MAX_DIGITS + 20
        digits = max(DIGITS, len(Decimal(claim.reported).as_tuple().digits))
        found = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.{digits}g}")
        return found - Decimal(claim.reported) if found.is_finite() else None


def judge(claim: Claim, value: object) -> Verdict:
    """Compare a value with the reported one.

    A number reproduces if it is within half a unit of the last reported digit, the bound included,
    or within the claim's tolerance; anything else if it is equal, and of the same types, where
    numbers in it may differ by the claim's tolerance.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        distance = difference(claim, value)
        borne_out = distance is not None and abs(distance) <= tolerance(claim)
    else:
        borne_out = same(value, claim.reported, float(claim.tolerance or 0))
    return Verdict.REPRODUCED if borne_out else Verdict.DIFFERS


def tolerance(claim: Claim) -> Decimal:
    """Tell how far a number may be from the reported one."""
    if claim.tolerance:
        return Decimal(claim.tolerance)
    exponent = Decimal(str(claim.reported)).as_tuple().exponent
    return Decimal(5).scaleb(int(exponent) - 1)


def read_claim(table: Table, models: Mapping[str, object]) -> Claim:
    """Read one ``[[claims]]`` table of a card."""
    claim = Claim(
        model=table.need("model", str),
        reported=_read_reported(table),
        source=table.need("source", str),
        dataset=table.get("dataset", str, ""),
        split=table.get("split", str, ""),
        cases=table.get("cases", str, ""),
        input=table.rest("input") if "input" in table else None,
        inputs=tuple(table.get("inputs", list, [])),
        options=table.rest("options"),
        metric=table.get("metric", str, ""),
        metric_options=table.rest("metric_options"),
        metric_path=table.get("metric_path", str, ""),
        obtain=table.get("obtain", str, ""),
        path=table.get("path", str, ""),
        tolerance=table.get("tolerance", str, ""),
        tolerance_reason=table.get("tolerance_reason", str, ""),
        expect="differs" if _read_expect(table) == "differs" else "reproduces",
        why=table.get("why", str, ""),
    )
    _check(table, claim, models)
    table.done()
    return claim


def _read_reported(table: Table) -> Reported:
    if "reported" not in table:
        raise table.error("reported", "is missing", 'add `reported = "…"`, as it was printed')
    reported = table.take("reported")
    if not isinstance(reported, str | list | dict):
        remedy = "put it in quotes: its digits are the claim"
        raise table.error("reported", f"must be a string, not {reported!r}", remedy)
    return reported


def _read_expect(table: Table) -> str:
    expect = table.get("expect", str, "reproduces")
    if expect not in {"reproduces", "differs"}:
        raise table.error("expect", f"{expect!r} is neither", 'write "reproduces" or "differs"')
    return expect


def _check(table: Table, claim: Claim, models: Mapping[str, object]) -> None:
    if claim.model not in models:
        hint = nearest(claim.model, models).removeprefix("; ")
        raise table.error("model", f"{claim.model!r} is not a model of this card", hint)
    subjects = (claim.dataset, claim.cases, claim.inputs, claim.input is not None)
    if sum(map(bool, subjects)) != 1:
        raise table.error("dataset", "a claim has one of dataset, cases, input and inputs")
    if claim.over_rows and claim.metric not in METRICS and not claim.metric_is_model:
        remedy = f"one of {', '.join(METRICS)}, or a model that is one"
        raise table.error("metric", f"{claim.metric!r} is not a metric", remedy)
    if claim.metric_path and not claim.metric_is_model:
        raise table.error("metric_path", "is for a metric that is a model", "write path")
    if claim.obtain and not claim.cases:
        raise table.error("obtain", "says where the file of cases comes from", "name it in cases")
    if claim.expect == "differs" and not claim.why:
        raise table.error("why", "is missing", "say what is known about why it differs")
    _check_numbers(table, claim)


def _check_numbers(table: Table, claim: Claim) -> None:
    if claim.tolerance:
        if not claim.tolerance_reason:
            raise table.error("tolerance_reason", "is missing", "say why it is wider")
        if not _is_number(claim.tolerance):
            raise table.error("tolerance", f"{claim.tolerance!r} is not a number")
        if Decimal(claim.tolerance) < 0:
            raise table.error("tolerance", f"{claim.tolerance!r} is less than 0")
    if claim.over_rows and not _is_number(claim.reported):
        raise table.error("reported", f"{claim.reported!r} is not a number, in a string")


def _is_number(text: object) -> bool:
    try:
        return isinstance(text, str) and Decimal(text).is_finite()
    except InvalidOperation:
        return False
