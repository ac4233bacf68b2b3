"""The bases of models by task, and what `repro.models` gives."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import repro.models
from repro.models import (
    Model,
    QuestionAnsweringModel,
    QuestionGenerationModel,
    RecipeGenerationModel,
    SingleDocumentSummarizationModel,
    TruecasingModel,
)
from repro.models.schema import Schema, type_name

TASKS = [
    (QuestionAnsweringModel, {"context": "c", "question": "q"}),
    (QuestionGenerationModel, {"context": "c", "start": 1, "end": 2}),
    (RecipeGenerationModel, {"name": "n", "ingredients": ["a", "b"]}),
    (SingleDocumentSummarizationModel, {"document": ["a", "b"]}),
    (TruecasingModel, {"text": "t"}),
]


def echo(task: type[Any]) -> Any:
    """Make a model of a task that answers with what it gets."""

    class Echo(task):  # type: ignore[misc]
        def predict_batch(self, inputs: Any, **kwargs: Any) -> Any:
            return [(one, kwargs) for one in inputs]

    return Echo()


@pytest.mark.parametrize(("task", "fields"), TASKS)
def test_predict_is_predict_batch_of_one(task: type[Model], fields: dict[str, Any]) -> None:
    model = echo(task)

    assert issubclass(task, Model)
    assert model.predict(**fields) == (fields, {})
    assert model.predict(*fields.values()) == model.predict_batch([fields])[0]


@pytest.mark.parametrize(("task", "fields"), TASKS)
def test_predict_forwards_its_other_arguments(task: type[Model], fields: dict[str, Any]) -> None:
    """Defect 6: four of the ancestor's five tasks dropped them."""
    assert echo(task).predict(**fields, beam=5, mode="Y") == (fields, {"beam": 5, "mode": "Y"})


@pytest.mark.parametrize(("task", "fields"), TASKS)
def test_an_argument_too_many_is_no_silence(task: type[Model], fields: dict[str, Any]) -> None:
    """The ancestor took further positional arguments, and dropped them."""
    with pytest.raises(TypeError, match="positional argument"):
        echo(task).predict(*fields.values(), "one more")


@pytest.mark.parametrize(("task", "fields"), TASKS)
def test_a_missing_argument_is_told(task: type[Model], fields: dict[str, Any]) -> None:
    """Defect 5: the ancestor's check of required arguments looked for what no model had."""
    with pytest.raises(TypeError, match=f"missing .* argument.*'{next(iter(fields))}'"):
        echo(task).predict()


@pytest.mark.parametrize(("task", "fields"), TASKS)
def test_the_fields_of_a_task_are_its_schema(task: type[Model], fields: dict[str, Any]) -> None:
    schema = Schema.of("x", task.predict)

    assert schema.instance(fields, 0) == fields
    assert list(schema.fields) == list(fields)
    assert schema.options == {}


@pytest.mark.parametrize(("task", "fields"), TASKS)
def test_a_task_alone_answers_nothing(task: type[Model], fields: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match=f"{task.__name__} has no predict_batch"):
        task().predict(**fields)


def test_a_model_of_a_task_is_found_among_all_models() -> None:
    @QuestionAnsweringModel.register("test-tasks-qa", exist_ok=True)
    class Answers(QuestionAnsweringModel):
        pass

    assert Model.by_name("test-tasks-qa") is Answers
    assert Answers.name == "test-tasks-qa"


def test_what_models_promises_is_there_and_comes_when_it_is_asked_for() -> None:
    code = """
import sys, repro.models
print(*[m for m in sys.modules if m.startswith("repro.models.")])
from repro.models import Model, ParallelModel, QuestionAnsweringModel
print(*{"docker", "pydantic", "requests"} & {*sys.modules})
"""

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "\n\n"
    assert sorted(repro.models.__all__) == sorted(repro.models._HOME)
    for name in repro.models.__all__:
        found = getattr(repro.models, name)
        assert getattr(found, "__name__", "") == name or type_name(found) == name
    assert set(repro.models.__all__) <= set(dir(repro.models))
    with pytest.raises(AttributeError, match=r"^module 'repro.models' has no attribute 'Modell'$"):
        repro.models.Modell  # noqa: B018


def test_common_gives_the_ancestors_names_when_they_are_asked_for() -> None:
    from repro.common import ConfigurationError, Registrable, TemporaryDirectory, util

    assert str(ConfigurationError("hello")) == "hello", "defect 21: it printed nothing"
    assert issubclass(Model, Registrable)
    assert util.flatten(["a", "b"]) == "a b"
    with TemporaryDirectory() as path:
        assert "repro-" in path
    with pytest.raises(AttributeError, match=r"^module 'repro.common' has no attribute 'utils'$"):
        repro.common.utils  # type: ignore[attr-defined]  # noqa: B018
