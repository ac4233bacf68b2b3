"""Models that answer at the same time: order, options, and errors."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from repro.common.util import aggregate_parallel_metrics
from repro.models import Model, ParallelModel


def values(count: int) -> list[dict[str, Any]]:
    return [{"value": value} for value in range(count)]


class Together(Model):
    """Answers when as many are at it as there are models."""

    barrier = threading.Barrier(3)

    def __init__(self, device: int = -1) -> None:
        self.device = device

    def predict_batch(self, inputs: Any, **kwargs: Any) -> Any:
        self.barrier.wait(30)
        return [(one["value"], self.device, kwargs.get("mode")) for one in inputs]


def test_models_answer_their_parts_at_the_same_time_and_in_order() -> None:
    outputs = ParallelModel(Together, num_models=3).predict_batch(values(10))

    assert [value for output in outputs for value, _, _ in output] == list(range(10))


def test_options_reach_every_model() -> None:
    """Defect 6: workers got the default."""
    outputs = ParallelModel(Together, num_models=3).predict_batch(values(6), mode="Y")

    assert [mode for output in outputs for *_, mode in output] == ["Y"] * 6


def test_each_model_is_made_with_its_own() -> None:
    model = ParallelModel(Together, [{"device": 0}, {"device": 2}, {}])

    assert [output[0][1] for output in model.predict_batch(values(3))] == [0, 2, -1]


def test_no_inputs_are_answered_without_a_model() -> None:
    """Defect 6: `range() arg 3 must not be zero`."""

    class Fails(Model):
        def __init__(self) -> None:
            raise AssertionError

    outputs = ParallelModel(Fails, num_models=2).predict_batch([])

    assert outputs == []
    assert aggregate_parallel_metrics(outputs) == ({}, [])


def test_the_first_error_is_raised() -> None:
    class Fails(Model):
        def predict_batch(self, inputs: Any, **kwargs: Any) -> Any:
            if inputs[0]["value"] == 1:
                raise KeyError("question")
            return inputs

    with pytest.raises(KeyError, match="question"):
        ParallelModel(Fails, num_models=3).predict_batch(values(3))


class Echo(Model):
    def predict_batch(self, inputs: Any, **kwargs: Any) -> Any:
        return list(inputs)


@pytest.mark.parametrize(
    ("count", "workers", "lengths"),
    [(4, 2, [2, 2]), (10, 4, [2, 3, 2, 3]), (2, 5, [1, 1]), (7, 1, [7]), (100, 10, [10] * 10)],
)
def test_the_parts_are_contiguous_and_even(count: int, workers: int, lengths: list[int]) -> None:
    class Local(Echo):
        """A class that no other process could import, as in a notebook."""

    outputs = ParallelModel(Local, num_models=workers).predict_batch(values(count))

    assert [len(output) for output in outputs] == lengths
    assert [one for output in outputs for one in output] == values(count)


def test_metrics_of_parts_are_those_of_the_whole() -> None:
    class Length(Model):
        def predict_batch(self, inputs: Any, **kwargs: Any) -> Any:
            micro = [{"length": {"words": one["value"]}} for one in inputs]
            return {"length": {"words": sum(one["value"] for one in inputs) / len(inputs)}}, micro

    whole = Length().predict_batch(values(7))

    parts = ParallelModel(Length, num_models=3).predict_batch(values(7))
    assert aggregate_parallel_metrics(parts) == whole


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"model_kwargs_list": []},
        {"num_models": 0},
        {"num_models": -1},
        {"model_kwargs_list": [{}, {}], "num_models": 2},
    ],
)
def test_exactly_one_way_to_say_how_many_is_needed(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="model"):
        ParallelModel(Echo, **given)
