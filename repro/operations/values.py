"""The values in what several models say of the same rows, and how far they agree."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from repro.catalog.agreement import agreement_of_labels, agreement_of_numbers, is_number
from repro.errors import ConfigurationError, OutputError
from repro.operations.paths import plain_paths, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MISSING = object()  # in the place of what is not there: null is a value


@dataclass(frozen=True, kw_only=True)
class Values:
    """What is compared: the values of each model at a path, one a row."""

    name: str
    of: Mapping[str, list[Any]]

    @property
    def numbers(self) -> bool:
        """Whether all are numbers; else they are labels."""
        values = [v for side in self.of.values() for v in side if v is not MISSING]
        return bool(values) and all(map(is_number, values))

    def pairs(self) -> Iterator[tuple[str, str, list[int]]]:
        """Yield each two models, and the rows for which both have a value."""
        for one, other in combinations(self.of, 2):
            both = enumerate(zip(self.of[one], self.of[other], strict=True))
            yield one, other, [i for i, pair in both if MISSING not in pair]


def choose(
    predictions: Mapping[str, Any], paths: Sequence[str], own: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Choose what is compared: by its name, the path into each model's predictions.

    Parameters
    ----------
    predictions : mapping of str to JSON
        One of each model, by its name, or `MISSING`.
    paths : sequence of str
        What was asked for; if nothing was, all plain values that every prediction has, and the
        predictions as they are if there is no such value.
    own : mapping of str to str
        The paths of models that have another one.

    Raises
    ------
    ConfigurationError
        If a prediction has nothing at a path that was asked for.
    """
    if own or paths:
        name = next(iter(own.values()), "")
        chosen = {
            path or name: {model: own.get(model, path) for model in predictions}
            for path in paths or ("",)
        }
        for wanted in chosen.values():
            for model, path in wanted.items():
                _check(model, path, predictions[model])
        return chosen
    known = [plain_paths(value) for value in predictions.values() if value is not MISSING]
    shared = [path for path in (known or [[]])[0] if all(path in others for others in known)]
    return {path: dict.fromkeys(predictions, path) for path in shared or [""]}


def value_of(prediction: Any, model: str, path: str) -> Any:
    """Take the value at a path; what is optional is not in each prediction."""
    try:
        return MISSING if prediction is MISSING else value_at(prediction, path, model)
    except OutputError:
        return MISSING


def agreement(values: Values, identities: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Tell of each two models how far they agree, over the rows that both have a value of."""
    numbers = values.numbers
    for one, other, rows in values.pairs():
        sides = [[values.of[name][i] for i in rows] for name in (one, other)]
        head = {"models": [one, other], "path": values.name, "rows": len(rows)}
        if numbers:
            found = agreement_of_numbers(*sides)
            largest = found.pop("largest_at")
            apart = bool(found["largest_difference"])
            found["instance_id"] = identities[rows[largest]] if apart else None
        else:
            found = agreement_of_labels(*sides)
        yield {**head, **found}


def _check(model: str, path: str, prediction: Any) -> None:
    if prediction is MISSING:
        return
    try:
        value_at(prediction, path, model)
    except OutputError as error:
        known = ", ".join(filter(None, plain_paths(prediction)))
        has = f"it has {known}" if known else "it is one value, without a path"
        raise ConfigurationError(f"{error}; {has}") from None
