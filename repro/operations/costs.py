"""What the models of a package cost: seconds to load, to the first answer, and a row."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import cycle, islice
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from repro.errors import CardError, InputError, ModelError
from repro.models import DockerModel, load
from repro.operations.examples import inputs_of, read_examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card
    from repro.common.jsonlines import JSON

SECONDS = 5.0  # for the rows of a model; what is slower is asked once
ROWS = 200  # at most


def measure_models(
    card: Card,
    *,
    allow_unlimited: bool = False,
    report: Callable[[str], None] = lambda _line: None,
) -> dict[str, JSON]:
    """Measure each model of a package over the inputs of its examples.

    Returns
    -------
    dict
        By model, with two digits: ``load_seconds``, as its program says, of one that stays loaded,
        which leaves out what it imports before; ``first_seconds`` to the first answer, with the
        container's start; and ``row_seconds``, the median of single rows that are sent after that,
        with the way there and back. A model without examples, or that fails, is left out.
    """
    try:
        examples = read_examples(card)
    except CardError as error:
        report(f"{card.package}: nothing is timed: {error}")
        return {}
    options = {"allow_unlimited": True} if allow_unlimited else {}
    found: dict[str, JSON] = {}
    for name in card.models:
        if not any(row["model"] == name for row in examples):
            continue
        report(f"{name}: how long it takes")
        try:
            with ExitStack() as stack:
                model = load(name, **options)
                if isinstance(model, DockerModel):
                    stack.enter_context(model)
                found[name] = _measure(model, inputs_of(card, examples, model, name))
        except (InputError, ModelError) as error:
            report(f"{name}: is not timed: {error}")
    return found


def _measure(model: Any, inputs: list[Any]) -> dict[str, JSON]:
    first = _seconds(model, inputs[0])
    rows: list[float] = []
    end = perf_counter() + SECONDS
    for one in islice(cycle(inputs), ROWS):
        rows.append(_seconds(model, one))
        if perf_counter() > end:
            break
    costs: dict[str, JSON] = {
        "first_seconds": two_digits(first),
        "row_seconds": two_digits(median(rows)),
    }
    if isinstance(model, DockerModel) and model.load_seconds is not None:
        costs["load_seconds"] = two_digits(model.load_seconds)
    return costs


def _seconds(model: Any, one: Any) -> float:
    begin = perf_counter()
    model.predict_each([one])
    return perf_counter() - begin


def two_digits(number: float) -> float:
    """Round to two digits that count."""
    return float(f"{number:.2g}")
