"""Wrappers written for the ancestor run unchanged.

They lie in tests/fixtures/ancestor, in its style and with what its wrappers import: a text model
that exchanges plain text, a metric of two volumes and most of `util`, and a summarizer with a
dataset reader. Where an image of their own would have a program, they bring it along.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.common.io import read_jsonl_file
from repro.common.util import aggregate_parallel_metrics
from repro.data.dataset_readers import DatasetReader
from repro.data.output_writers import OutputWriter
from repro.engine import image as images
from repro.errors import ContainerError, DataFileError, DeviceUnavailable, UnknownNameError
from repro.models import Model, ParallelModel
from repro.testing import DockerTestContextManager, assert_dicts_approx_equal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.client import Engine

# As many of the ancestor's wrappers do, these leave open files to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
    ),
]

WRAPPERS = Path(__file__).resolve().parents[1] / "fixtures" / "ancestor"


@pytest.fixture(autouse=True, scope="module")
def _importable() -> Iterator[None]:
    """Make the wrappers modules, as they are in a package; workers import them too."""
    sys.path.insert(0, str(WRAPPERS))
    for file in WRAPPERS.glob("*.py"):
        importlib.import_module(file.stem)
    yield
    sys.path.remove(str(WRAPPERS))


@pytest.fixture
def text(bookworm: str) -> Any:
    return Model.by_name("author2014-truecaser")(image=bookworm)


@pytest.fixture
def metric(bookworm: str) -> Any:
    return Model.by_name("author2018-overlap")(image=bookworm)


@pytest.fixture
def summarizer(bookworm: str) -> Any:
    return Model.by_name("author2020-lead")(image=bookworm, device=-1)


PAIRS: list[dict[str, Any]] = [
    {"candidate": "a b", "references": ["a b c d", "x"]},
    {"candidate": "", "references": ["a"]},
    {"candidate": ["c", "d"], "references": ["c", ["d", "e"]]},
    {"candidate": "x y", "references": ["a b c d", "x"]},
]
MICRO = [
    {"overlap": {"precision": 0.5, "recall": 0.25}},
    {"overlap": {"precision": 0.0, "recall": 0.0}},
    {"overlap": {"precision": 0.5, "recall": 0.75}},
    {"overlap": {"precision": 0.25, "recall": 0.5}},
]
MACRO = {"overlap": {"precision": 0.3125, "recall": 0.375}}


def test_the_text_model_answers(text: Any) -> None:
    assert text.predict("abc") == "ABC"
    assert text.predict_batch([{"text": "one"}, {"text": ""}, {"text": "three"}]) == [
        "ONE",
        "",
        "THREE",
    ]


def test_predict_of_the_text_model_forwards_its_options(text: Any) -> None:
    """Defect 6: `predict` of the ancestor's truecaser dropped them."""
    assert text.predict("abc", suffix="!") == "ABC!"


def test_a_newline_shifts_no_answer_of_the_text_model(text: Any) -> None:
    """Defect 7: three answers for two texts, each after the first another's."""
    with pytest.raises(DataFileError, match="line 1: the text has a line break"):
        text.predict_batch([{"text": "one\ntwo"}, {"text": "three"}])


def test_the_metric_answers_with_macro_and_micro(metric: Any) -> None:
    macro, micro = metric.predict_batch(PAIRS)

    assert len(micro) == len(MICRO)
    for found, expected in zip(micro, MICRO, strict=True):
        assert_dicts_approx_equal(found, expected)
    assert_dicts_approx_equal(macro, MACRO)
    assert_dicts_approx_equal(metric.predict(**PAIRS[2]), MICRO[2])


def test_the_metric_scores_blanks_alone(metric: Any) -> None:
    """Defect 11: a ValueError when all candidates were empty."""
    macro, micro = metric.predict_batch([PAIRS[1], {"candidate": [" "], "references": ["b"]}])

    assert micro == [MICRO[1], MICRO[1]]
    assert macro == MICRO[1]


def test_a_metric_whose_program_dies_gives_no_average_over_the_rest(metric: Any) -> None:
    """Defects 1 and 2: three of ten rows gave a macro over three, and no error."""
    pairs = [*PAIRS, {"candidate": "a", "references": [""]}, *PAIRS]

    with pytest.raises(ContainerError, match="ZeroDivisionError") as caught:
        metric.predict_batch(pairs)

    assert caught.value.status == 1


def test_the_metric_is_the_same_in_parallel(metric: Any, bookworm: str) -> None:
    parallel = ParallelModel(type(metric), [{"image": bookworm}, {"image": bookworm}])

    macro, micro = aggregate_parallel_metrics(parallel.predict_batch(PAIRS))

    assert (macro, micro) == metric.predict_batch(PAIRS)


def test_the_metric_is_written_by_both_writers(metric: Any, tmp_path: Path) -> None:
    """Defect 10: the default writer refused it after the whole prediction had run."""
    instances = [{"instance_id": str(index), **pair} for index, pair in enumerate(PAIRS)]
    answer = metric.predict_batch(PAIRS)

    for name in ("default", "metrics"):
        OutputWriter.by_name(name)().write(
            instances, answer, str(tmp_path / name), model_name="author2018-overlap"
        )

    rows = read_jsonl_file(str(tmp_path / "default"))
    assert [row["prediction"] for row in rows] == answer[1]
    assert json.loads((tmp_path / "default.macro.json").read_text()) == answer[0]
    assert json.loads((tmp_path / "metrics").read_text()) == [*answer]


def test_the_reader_feeds_the_summarizer_and_the_writer(summarizer: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source.txt", tmp_path / "target.txt"
    source.write_text("one two.<q>three four.\nfive\n")
    target.write_text("one\nfive\n")

    instances = DatasetReader.by_name("author2020")().read(str(source), str(target))
    predictions = summarizer.predict_batch(instances)
    OutputWriter.by_name("sacrerouge")().write(
        instances, predictions, str(tmp_path / "out.jsonl"), model_name="author2020-lead"
    )

    assert instances[0]["document"] == ["one two.", "three four."]
    assert predictions == ["one two. three", "five"]
    rows = read_jsonl_file(str(tmp_path / "out.jsonl"))
    assert [(row["instance_id"], row["summary"]["text"]) for row in rows] == [
        ("0", "one two. three"),
        ("1", "five"),
    ]
    assert rows[0]["reference"] == {"text": "one"}


def test_predict_of_the_summarizer_forwards_its_options(summarizer: Any) -> None:
    """Defect 6: `predict` of the ancestor's summarizers dropped them."""
    assert summarizer.predict(["a b", "c d e"], words=4) == "a b c d"


def test_a_gpu_that_is_not_there_is_told(summarizer: Any, engine: Engine) -> None:
    """Defect 17: `Unknown runtime specified nvidia`, from the default of nearly every model."""
    if any("nvidia" in name for name in engine.info.get("Runtimes", {})):
        pytest.skip("this engine has GPUs")
    default = type(summarizer)(image=summarizer.image)

    with pytest.raises(DeviceUnavailable, match=r"device=-1"):
        default.predict("a b")


def test_an_unknown_model_is_told_with_the_nearest_name() -> None:
    """Defect 21: a bare KeyError."""
    with pytest.raises(UnknownNameError, match=r"did you mean 'author2018-overlap'"):
        Model.by_name("author2018-overlp")


def test_a_wrapper_is_found_by_its_import_path() -> None:
    assert Model.by_name("author2014.UpperCaser") is Model.by_name("author2014-truecaser")


def test_the_context_of_an_image_begins_and_ends_without_it(engine: Engine, bookworm: str) -> None:
    name = "repro-test-context:1"
    images.tag(engine, bookworm, name)

    with DockerTestContextManager(name):
        assert images.find(engine, name) is None
        images.tag(engine, bookworm, name)
    assert images.find(engine, name) is None
    assert images.find(engine, bookworm) is not None
