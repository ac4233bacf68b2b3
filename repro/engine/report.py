"""What the runtime in a container says a model has raised, as one of our errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.common.text import printable
from repro.errors import OutputError, PredictionError

if TYPE_CHECKING:
    from repro.common.jsonlines import JSON


def reported(model: str, report: JSON) -> OutputError | PredictionError | None:
    """Make the error of a report; None of something that is no report."""
    if not isinstance(report, dict):
        return None
    index = report.get("index")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        index = None
    kind, message, trace = (
        printable(str(report.get(k, ""))) for k in ("type", "message", "traceback")
    )
    if kind == "OutputError":
        return OutputError(model, message, index)
    return PredictionError(model, index, kind, message, trace)
