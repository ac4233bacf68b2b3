"""Models in processes of their own: order, options, errors, and nothing left."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from repro.common.util import aggregate_parallel_metrics
from repro.errors import ModelError, OutputError, PredictionError
from repro.models import Model, ParallelModel

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = """
import os, time
from repro.errors import OutputError
from repro.models import Model

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)

class Fresh(Model):
    def __init__(self, device=-1):
        self.device = device

    def predict_batch(self, inputs, mode="X"):
        return [(os.getpid(), one["value"], self.device, mode) for one in inputs]

class Fails(Model):
    def __init__(self, how="", wait=0):
        self.how, self.wait = how, wait

    def predict_batch(self, inputs):
        time.sleep(self.wait)
        match self.how:
            case "ours": raise OutputError("m", "it is wrong", 3)
            case "theirs": raise KeyError("question")
            case "odd": raise Odd("first", "second")
            case "dies": os._exit(7)
        return inputs
"""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A module that worker processes can import, as they can an installed package."""
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "parallel_zoo.py").write_text(MODULE)
    sys.path.insert(0, str(folder))
    import parallel_zoo

    yield parallel_zoo
    sys.path.remove(str(folder))
    del sys.modules["parallel_zoo"]


@pytest.fixture(autouse=True)
def _no_process_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A fresh process imports the program that it is a worker of, which here would be pytest.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    yield
    assert multiprocessing.active_children() == []


def values(count: int) -> list[dict[str, Any]]:
    return [{"value": value} for value in range(count)]


def test_each_worker_is_a_process_and_answers_its_part_in_order(zoo: Any) -> None:
    outputs = ParallelModel(zoo.Fresh, num_models=3).predict_batch(values(10))

    assert [value for output in outputs for _, value, _, _ in output] == list(range(10))
    pids = [{pid for pid, *_ in output} for output in outputs]
    assert [len(pid) for pid in pids] == [1, 1, 1]
    assert len(set.union(*pids) - {os.getpid()}) == 3


def test_options_reach_every_worker(zoo: Any) -> None:
    """Defect 6: workers got the default."""
    outputs = ParallelModel(zoo.Fresh, num_models=2).predict_batch(values(4), mode="Y")

    assert [mode for output in outputs for *_, mode in output] == ["Y"] * 4


def test_each_model_is_made_with_its_own(zoo: Any) -> None:
    model = ParallelModel(zoo.Fresh, [{"device": 0}, {"device": 2}])

    assert [output[0][2] for output in model.predict_batch(values(2))] == [0, 2]


def test_no_inputs_are_answered_without_a_process(zoo: Any) -> None:
    """Defect 6: `range() arg 3 must not be zero`."""
    outputs = ParallelModel(zoo.Fails, [{"how": "dies"}]).predict_batch([])

    assert outputs == []
    assert aggregate_parallel_metrics(outputs) == ({}, [])


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
    ("how", "kind", "message"),
    [
        ("ours", OutputError, r"^prediction 3 of m: it is wrong$"),
        ("theirs", KeyError, "question"),
        ("odd", PredictionError, "Fails raised Odd: first"),
        ("dies", ModelError, r"^worker 1 of Fails ended with status 7 before it answered"),
    ],
)
def test_an_error_of_a_worker_is_raised_here_and_the_others_are_stopped(
    how: str, kind: type[Exception], message: str, zoo: Any
) -> None:
    model = ParallelModel(zoo.Fails, [{"wait": 120}, {"how": how}])
    start = time.monotonic()

    with pytest.raises(kind, match=message) as caught:
        model.predict_batch(values(2))

    assert type(caught.value) is kind
    assert time.monotonic() - start < 60
    if how != "dies":
        assert "in worker 1 of Fails:\nTraceback" in str(caught.value.__cause__)


def test_an_output_that_cannot_be_sent_is_told() -> None:
    class Unsendable(Model):
        def predict_batch(self, inputs: Any, **kwargs: Any) -> Any:
            return lambda: inputs

    with pytest.raises((AttributeError, PredictionError, TypeError), match=r"(?i)pickle"):
        ParallelModel(Unsendable, num_models=1).predict_batch(values(1))


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


def test_a_class_of_a_script_needs_no_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            from repro.models import Model, ParallelModel

            class Ten(Model):
                def predict_batch(self, inputs):
                    return [one["value"] * 10 for one in inputs]

            inputs = [{"value": value} for value in range(4)]
            print(ParallelModel(Ten, num_models=2).predict_batch(inputs))
        """)
    )

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[[0, 10], [20, 30]]\n", "")


def test_a_class_of_a_package_in_a_script_without_guard_is_told(zoo: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from parallel_zoo import Fresh\nfrom repro.models import ParallelModel\n"
        "ParallelModel(Fresh, num_models=2).predict_batch([{'value': 1}])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(zoo.__file__).parent)}

    done = subprocess.run(
        [sys.executable, script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert 'under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]
