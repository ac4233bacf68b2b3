"""What holds for every package with a card: its examples, its claims, the words of its classes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog import read_cards
from repro.common.io import read_jsonl_file
from repro.errors import InputError
from repro.models import load
from repro.models.lookup import model_class
from repro.models.metric import Metric
from repro.models.schema import REQUIRED, Schema
from repro.operations.checking import check_packages
from repro.operations.examples import run_examples
from repro.operations.reproduction import reproduce, reproduce_packages

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card

    Ready = Callable[[Card], Card]

CARDS = list(read_cards())
MODELS = [(card, name) for card in CARDS for name in card.models]

packages = pytest.mark.parametrize("card", CARDS, ids=[card.package for card in CARDS])
models = pytest.mark.parametrize(("card", "name"), MODELS, ids=[name for _, name in MODELS])

FIRST = 2  # examples of a model that are predicted alone and together


def examples_of(card: Card, name: str) -> list[dict[str, Any]]:
    rows: Any = read_jsonl_file(str(card.folder / "examples.jsonl"))
    return [row for row in rows if row["model"] == name]


def rows_of(model: Any, inputs: list[dict[str, Any]]) -> list[Any]:
    """Predict rows; those of a metric come beside the value over all of them."""
    answered = model.predict_batch(inputs)
    return list(answered[1] if isinstance(model, Metric) else answered)


@packages
def test_the_examples_of_a_package_are_what_its_models_answer(card: Card, ready: Ready) -> None:
    results = list(run_examples(ready(card)))

    assert {result.model for result in results} == set(card.models), "each model has examples"
    assert [(r.input, r.error or r.prediction) for r in results if not r.passed] == []


@packages
def test_the_claims_of_a_package_come_out_as_its_card_expects(card: Card, ready: Ready) -> None:
    if not (card.publish or card.claims):
        pytest.skip("nothing is claimed of what is not to be published")
    results = list(reproduce(ready(card)))

    assert [result.claim for result in results] == list(card.claims)
    assert {claim.model for claim in card.claims} == set(card.models), "each model has claims"
    assert [
        (r.claim.model, r.claim.subject, r.claim.metric, r.claim.reported, r.error or r.value)
        for r in results
        if not r.as_expected
    ] == []


@pytest.mark.parametrize("choice", [{"model": "tutorail-model"}, {"source": "no such table"}])
def test_a_choice_that_leaves_no_claim_is_told(choice: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"no claim|there is no model"):
        reproduce_packages(["tutorial"], **choice)


@models
def test_an_instance_is_answered_alike_alone_in_a_batch_and_in_any_order(
    card: Card, name: str, ready: Ready
) -> None:
    ready(card)

    with load(name) as model:
        rows = examples_of(card, name)
        inputs = [model.schema.located(row["input"], str(card.folder)) for row in rows]
        first = inputs[:FIRST]
        together = rows_of(model, inputs)
        assert together
        assert rows_of(model, inputs[::-1]) == together[::-1]
        assert rows_of(model, first) == together[:FIRST]
        alone = [model.predict(**one) for one in first]
        if isinstance(model, Metric):  # whose `predict` answers with the value over its one row
            assert [rows_of(model, [one])[0] for one in first] == together[:FIRST]
            assert alone == model.predict_each(first)
        else:
            assert alone == together[:FIRST]


@models
def test_a_class_says_what_it_scores_and_where_it_is_from(card: Card, name: str) -> None:
    found = model_class(name)
    schema = Schema.of(name, found.predict)
    about = inspect.cleandoc(found.__doc__ or "")
    predict = inspect.cleandoc(found.predict.__doc__ or "")

    assert about.partition("\n")[0].endswith(".")
    assert not card.paper.title or card.paper.title in " ".join(about.split())
    assert not card.paper.title or "References\n----------" in about
    assert predict.partition("\n")[0].endswith(".")
    assert "Parameters\n----------" in predict
    assert "Returns\n-------" in predict
    for field in (*schema.fields, *schema.options):
        assert f"\n{field} : " in predict, f"{field} is not described"
    assert schema.prediction is not REQUIRED, "the return annotation is the prediction"


@models
def test_the_body_of_predict_is_one_call_of_answer(card: Card, name: str) -> None:
    code = inspect.getsource(model_class(name).predict).rsplit('"""', 1)[-1].strip()

    assert code.startswith("return self.answer(")
    assert code.endswith(")")
    assert "\n\n" not in code


@packages
def test_nothing_is_wrong_with_the_files_of_a_package(card: Card) -> None:
    (report,) = check_packages([card.package], "card")

    assert [
        (result.check, finding.message)
        for result in report.results
        for finding in result.findings
        if finding.outcome == "error"
    ] == []


@packages
def test_a_package_has_a_readme_that_says_what_its_card_does_not(card: Card) -> None:
    if not card.publish:
        pytest.skip("not to be published")
    text = (card.folder / "Readme.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]

    assert headings == [
        "## Input and output",
        "## Usage",
        "## What is claimed",
        f"## Differences from {'the paper' if card.paper.title else 'what was published'}",
        "## Licence",
        "## Citation",
    ]
    assert all(f"`{name}`" in text for name in card.models)
    assert f"repro setup {card.package}" in text
    assert f"repro reproduce {card.package}" in text
    assert "Replace this" not in text, "what `repro new` leaves to be written"
    assert "[x]" not in text.lower(), "a status is computed, never ticked by hand"
