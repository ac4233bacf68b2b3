"""Run a package's examples, the rows of `examples.jsonl`.

They are documentation and regression test in one. A row has a `model`, its `input` and its
`output`; where digits depend on the processor, also a `tolerance`, by which each number in the
output may differ.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repro.catalog.agreement import is_number
from repro.catalog.metrics import same
from repro.common.io import read_jsonl_file
from repro.errors import CardError, InputError, ModelError
from repro.models import DockerModel, load
from repro.models.files import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.catalog import Card


@dataclass(frozen=True, kw_only=True)
class ExampleResult:
    """One example, and what came of it; `error` says why there is no prediction.

    Where the card says that the model draws by lot, `tolerance` is None: any prediction will do.
    """

    model: str
    input: dict[str, Any]
    expected: Any
    prediction: Any = None
    error: str = ""
    tolerance: float | None = 0

    @property
    def passed(self) -> bool:
        """Whether the model answered what the example says."""
        if self.error or self.tolerance is None:
            return not self.error
        return same(self.prediction, self.expected, self.tolerance)


def run_examples(
    card: Card, *, image: str | None = None, allow_unlimited: bool = False
) -> Iterator[ExampleResult]:
    """Predict every example of a package and compare.

    Parameters
    ----------
    card : Card
        The package's.
    image : str, optional
        Another image than the package's.
    allow_unlimited : bool
        Run also where the engine cannot limit memory and processes.

    Raises
    ------
    CardError
        If there are no examples, or a row is not one.
    """
    rows = read_examples(card)
    options = {"allow_unlimited": True} if allow_unlimited else {}
    for model in dict.fromkeys(row["model"] for row in rows):
        mine = [row for row in rows if row["model"] == model]
        try:
            with ExitStack() as stack:
                loaded = load(model, image=image, **options)
                if isinstance(loaded, DockerModel):
                    stack.enter_context(loaded)
                answers = plain(loaded.predict_each(inputs_of(card, rows, loaded, model)))
        except (InputError, ModelError) as error:
            for row in mine:
                yield _result(card, row, error=str(error))
        else:
            for row, answer in zip(mine, answers, strict=True):
                yield _result(card, row, prediction=answer)


def _result(card: Card, row: dict[str, Any], **outcome: Any) -> ExampleResult:
    about = card.models[row["model"]]
    tolerance = row.get("tolerance", about.tolerance) if about.deterministic else None
    example = {"model": row["model"], "input": row["input"], "expected": row["output"]}
    return ExampleResult(**example, tolerance=tolerance, **outcome)


def inputs_of(card: Card, rows: list[dict[str, Any]], loaded: Any, name: str) -> list[Any]:
    """Tell the inputs of a model's examples; paths in them are relative to the package."""
    inputs = [row["input"] for row in rows if row["model"] == name]
    if not isinstance(loaded, DockerModel):
        return inputs
    return [loaded.schema.located(one, str(card.folder)) for one in inputs]


def read_examples(card: Card) -> list[dict[str, Any]]:
    """Read the rows of a package's examples.

    Raises
    ------
    CardError
        If there are none, or a row is not one.
    """
    path = card.folder / "examples.jsonl"
    name = f"{card.package}/examples.jsonl"
    remedy = 'write rows {"model": …, "input": {…}, "output": …}'
    if not path.is_file():
        raise CardError(name, "the file", "is missing", remedy)
    rows: list[dict[str, Any]] = []
    for row in read_jsonl_file(str(path)):
        if not isinstance(row, dict) or set(row) - {"tolerance"} != {"model", "input", "output"}:
            raise CardError(name, f"row {len(rows) + 1}", "is no example", remedy)
        if not is_number(tolerance := row.get("tolerance", 0)) or tolerance < 0:
            problem = f"has a tolerance of {tolerance!r}, which is no number from 0 up"
            raise CardError(name, f"row {len(rows) + 1}", problem)
        if row["model"] not in card.models:
            raise CardError(name, f"row {len(rows) + 1}", f"{row['model']!r} is no model of it")
        rows.append(dict(row))
    return rows
