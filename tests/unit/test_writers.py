"""Output writers: predictions become files, and are never lost."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from repro.common.io import read_jsonl_file
from repro.data.output_writers import (
    DefaultOutputWriter,
    MetricsOutputWriter,
    OutputWriter,
    SacreROUGEOutputWriter,
)
from repro.errors import DataFileError, InputError, OutputError

if TYPE_CHECKING:
    from pathlib import Path

INSTANCES = [
    {"instance_id": "a", "text": "1"},
    {"instance_id": "b", "text": "2", "reference": "r"},
    {"instance_id": "c", "text": "3", "references": ["r1", ["r2", "r3"]]},
]


def test_the_writers_are_found_by_name() -> None:
    assert OutputWriter.list_available()[0] == "default"
    assert OutputWriter.by_name("default") is DefaultOutputWriter
    assert OutputWriter.by_name("metrics") is MetricsOutputWriter
    assert OutputWriter.by_name("sacrerouge") is SacreROUGEOutputWriter


@pytest.mark.parametrize("include_input", [False, True])
def test_the_default_writer_writes_a_line_for_each_instance(
    include_input: bool, tmp_path: Path
) -> None:
    file = str(tmp_path / "new" / "out.jsonl")
    predictions = ["x", None, {"y": 1}]

    DefaultOutputWriter(include_input=include_input).write(
        INSTANCES, predictions, file, model_name="a-model"
    )

    expected = [
        {"instance_id": one["instance_id"], "model_id": "a-model", "prediction": prediction}
        for one, prediction in zip(INSTANCES, predictions, strict=True)
    ]
    if include_input:
        for row, one in zip(expected, INSTANCES, strict=True):
            row["input"] = one
    assert read_jsonl_file(file) == expected


def test_the_metrics_writer_writes_what_it_gets(tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    predictions = ({"bleu": 30.5}, [{"ä": 1.0}])

    MetricsOutputWriter().write(INSTANCES, predictions, str(file), "a-model")

    assert json.loads(file.read_text()) == [{"bleu": 30.5}, [{"ä": 1.0}]]
    assert file.read_text().count("\n") > 5, "people read it"


def test_the_writer_of_sacrerouge_adds_the_references_it_finds(tmp_path: Path) -> None:
    file = str(tmp_path / "out.jsonl")

    SacreROUGEOutputWriter().write(INSTANCES, ["s1", "s2", ["s3", "s4"]], file, "a-model")

    rows = read_jsonl_file(file)
    peer = {"summarizer_id": "a-model", "summarizer_type": "peer"}
    assert rows == [
        {"instance_id": "a", **peer, "summary": {"text": "s1"}},
        {"instance_id": "b", **peer, "summary": {"text": "s2"}, "reference": {"text": "r"}},
        {
            "instance_id": "c",
            **peer,
            "summary": {"text": ["s3", "s4"]},
            "references": [{"text": "r1"}, {"text": ["r2", "r3"]}],
        },
    ]


def test_the_rows_of_a_metric_are_written_and_its_macro_beside(tmp_path: Path) -> None:
    """Defect 10: the ancestor refused (macro, micro) after the whole prediction had run."""
    file = tmp_path / "out.jsonl"
    micro = [{"f": 0.0}, {"f": 1.0}, {"f": 2.0}]

    DefaultOutputWriter().write(INSTANCES, ({"f": 1.0}, micro), str(file), "a-metric")

    assert [row["prediction"] for row in read_jsonl_file(str(file))] == micro
    assert json.loads((tmp_path / "out.jsonl.macro.json").read_text()) == {"f": 1.0}


@pytest.mark.parametrize(
    ("predictions", "kind", "problem"),
    [
        (["x", "y"], OutputError, "^a-model: there are 2 predictions for 3 instances"),
        (["x"] * 4, OutputError, "^a-model: there are 4 predictions for 3 instances"),
        ({"f": 1.0}, OutputError, "^a-model: the predictions are a dict, not a list"),
        (({"f": 1.0}, [{"f": 1.0}]), OutputError, "there are 1 predictions for 3 instances"),
        (({"bleu": 30.0}, []), InputError, "one value for all instances .* 'metrics' writes that"),
        ([1, math.nan, 2], InputError, "line 2: has NaN"),
    ],
)
def test_what_cannot_be_written_is_refused_and_kept(
    predictions: Any, kind: type[Exception], problem: str, tmp_path: Path
) -> None:
    """Defect 10: the work was lost. Too few predictions are the model's fault, not the caller's."""
    file = tmp_path / "out.jsonl"
    file.write_text("old")

    with pytest.raises(kind, match=f"{problem}.*; what was predicted is in ") as caught:
        DefaultOutputWriter().write(INSTANCES, predictions, str(file), model_name="a-model")

    kept = tmp_path / "out.jsonl.refused.json"
    assert str(kept) in str(caught.value)
    assert kept.read_text() == json.dumps(predictions, indent=2) + "\n"
    assert file.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_nan_is_written_where_that_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"

    DefaultOutputWriter(allow_nan=True).write(INSTANCES[:1], [math.nan], str(file))
    MetricsOutputWriter(allow_nan=True).write([], math.inf, str(tmp_path / "metrics.json"))

    assert math.isnan(read_jsonl_file(str(file))[0]["prediction"])
    assert (tmp_path / "metrics.json").read_text() == "Infinity\n"


def test_what_is_no_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"metrics.json: is not JSON: object of type set"):
        MetricsOutputWriter().write(INSTANCES, {1}, str(tmp_path / "metrics.json"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", ["default", "metrics"])
def test_an_error_names_the_file_as_it_was_given(
    writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()

    with pytest.raises(InputError, match=r"^\./folder: Is a directory"):
        OutputWriter.by_name(writer)().write(INSTANCES, ["x", "y", "z"], "./folder")
    (tmp_path / "file").touch()
    with pytest.raises(DataFileError, match=r"^file/out: (File exists|Not a directory)$"):
        OutputWriter.by_name(writer)().write(INSTANCES, ["x", "y", "z"], "file/out")


def test_a_writer_in_the_style_of_the_ancestor_works(tmp_path: Path) -> None:
    class Folder(OutputWriter):
        def __init__(self) -> None:
            super().__init__(True)

        def _write(self, instances, predictions, output_file_or_dir, *args, **kwargs):  # type: ignore[no-untyped-def]
            for instance, prediction in zip(instances, predictions, strict=True):
                (tmp_path / instance["instance_id"]).write_text(prediction + kwargs["model_name"])

    Folder().write(INSTANCES, ["x", "y", "z"], str(tmp_path), model_name="!")

    assert [(tmp_path / name).read_text() for name in "abc"] == ["x!", "y!", "z!"]
