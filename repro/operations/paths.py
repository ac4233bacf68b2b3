"""Values within predictions, by dotted paths."""

from __future__ import annotations

from typing import Any

from repro.errors import OutputError


def value_at(prediction: Any, path: str, model: str) -> Any:
    """Walk into a prediction by a dotted path; a number is an index.

    Raises
    ------
    OutputError
        If there is nothing.
    """
    for step in filter(None, path.split(".")):
        try:
            prediction = prediction[int(step) if isinstance(prediction, list) else step]
        except (KeyError, IndexError, TypeError, ValueError):
            raise OutputError(model, f"the prediction has nothing at {path!r}") from None
    return prediction


def plain_paths(prediction: Any, path: str = "") -> list[str]:
    """List the paths of the plain values in what is nested; of a plain value, the empty one."""
    if isinstance(prediction, dict):
        return [
            found
            for name, value in prediction.items()
            for found in plain_paths(value, f"{path}.{name}" if path else str(name))
        ]
    return [] if isinstance(prediction, list) else [path]
