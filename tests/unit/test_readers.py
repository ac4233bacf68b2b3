"""Dataset readers: instances and their ids."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from repro.data.dataset_readers import (
    DatasetReader,
    HuggingfaceDatasetsDatasetReader,
    JSONLinesDatasetReader,
    SacreROUGEDatasetReader,
)
from repro.errors import ConfigurationError, DataFileError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Write rows into a file of JSON lines."""

    def write(*rows: object) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return write


class Loader(ModuleType):
    """Stands for the library `datasets`: what `load_dataset` was asked for, and what it answers."""

    def __init__(self, answer: object) -> None:
        super().__init__("datasets")
        self.answer, self.asked = answer, []

    def load_dataset(self, *asked: object, **more: object) -> object:
        self.asked.append((*asked, more))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_readers_are_found_by_name() -> None:
    assert DatasetReader.by_name("jsonl") is JSONLinesDatasetReader
    assert DatasetReader.by_name("sacrerouge") is SacreROUGEDatasetReader
    assert DatasetReader.by_name("huggingface-datasets") is HuggingfaceDatasetsDatasetReader
    with pytest.raises(UnknownNameError, match=r"'jsonn'; did you mean 'jsonl'\?"):
        DatasetReader.by_name("jsonn")


def test_importing_the_readers_loads_no_heavy_library() -> None:
    code = (
        "import sys, repro.data.dataset_readers, repro.data.output_writers, repro.testing\n"
        "print(*{'datasets', 'docker', 'numpy', 'pandas', 'pydantic', 'pytest'} & {*sys.modules})"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "\n"


def test_the_files_are_read_in_their_order(file: Callable[..., str]) -> None:
    rows = [{"instance_id": str(i), "a": i} for i in range(3)]

    assert JSONLinesDatasetReader().read(file(*rows[:2]), file(rows[2])) == rows


def test_a_missing_id_is_the_number_of_the_row(file: Callable[..., str]) -> None:
    """Defect 9: the ancestor refused what its own reader of chen2020-eval gave."""

    class Reader(DatasetReader):
        def _read(self, *input_files: str) -> list[dict[str, Any]]:
            return [{"score": 1.0}, {"instance_id": "x", "score": 2.0}, {"score": 3.0}]

    read = JSONLinesDatasetReader().read(file({"a": 1}), file({"a": 2}))

    assert [row["instance_id"] for row in Reader().read()] == ["0", "x", "2"]
    assert [row["instance_id"] for row in read] == ["0", "1"]


@pytest.mark.parametrize("identity", [3, None, ["x"], 1.5])
def test_an_id_that_is_no_string_is_refused(identity: object, file: Callable[..., str]) -> None:
    rows = file({"instance_id": "0"}, {"instance_id": identity})

    with pytest.raises(DataFileError, match=r"instance 1 has the instance_id .* is no string"):
        JSONLinesDatasetReader().read(rows)


def test_a_row_that_is_no_object_is_refused(file: Callable[..., str]) -> None:
    with pytest.raises(DataFileError, match="instance 1 is list, not an object"):
        JSONLinesDatasetReader().read(file({}, [1]))


def test_blank_lines_are_no_instances(tmp_path: Path) -> None:
    """Defect 21: they were an error."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"a": 1}\n\n{"a": 2}\n\n')

    assert [row["a"] for row in JSONLinesDatasetReader().read(str(rows))] == [1, 2]


def test_summaries_of_sacrerouge_are_read(file: Callable[..., str]) -> None:
    rows = file(
        {"instance_id": "1", "summary": {"text": "s1"}, "reference": {"text": "r"}},
        {"summary": {"text": "s2"}, "references": [{"text": "r1"}, {"text": ["r2", "r3"]}]},
    )

    assert SacreROUGEDatasetReader().read(rows) == [
        {"instance_id": "1", "summary": "s1", "references": ["r"]},
        {"instance_id": "1", "summary": "s2", "references": ["r1", ["r2", "r3"]]},
    ]


@pytest.mark.parametrize(
    "row", [{}, {"summary": {"text": "s"}}, {"summary": "s", "reference": {"text": "r"}}, [], None]
)
def test_what_is_no_summary_of_sacrerouge_is_told(row: object, file: Callable[..., str]) -> None:
    rows = file({"summary": {"text": "s"}, "reference": {"text": "r"}}, row)

    with pytest.raises(DataFileError, match=rf"^{rows}: row 2 is no summary of SacreROUGE"):
        SacreROUGEDatasetReader().read(rows)


@pytest.mark.parametrize(
    ("name", "asked", "row", "instance"),
    [
        (
            "cnn_dailymail",
            ("abisee/cnn_dailymail", "3.0.0"),
            {"id": "x", "article": "a\nb", "highlights": "h1\nh2"},
            {"instance_id": "x", "document": "a\nb", "reference": ["h1", "h2"]},
        ),
        (
            "cnn-dailymail/1.0.0",
            ("abisee/cnn_dailymail", "1.0.0"),
            {"id": "x", "article": "a", "highlights": "h"},
            {"instance_id": "x", "document": "a", "reference": ["h"]},
        ),
        (
            "xsum/1.2.0",
            ("EdinburghNLP/xsum", None),
            {"id": "x", "document": "a\nb", "summary": "s"},
            {"instance_id": "x", "document": ["a", "b"], "reference": "s"},
        ),
        (
            "scientific_papers/pubmed",
            ("armanc/scientific_papers", "pubmed"),
            {"article": "a\nb", "abstract": "c\nd", "section_names": "e\nf"},
            {
                "instance_id": "pubmed-test-0",
                "document": ["a", "b"],
                "reference": ["c", "d"],
                "section_names": ["e", "f"],
            },
        ),
        (
            "squad_v2",
            ("rajpurkar/squad_v2", None),
            {"id": "x", "title": "t", "context": "c", "question": "q", "answers": {}},
            {"instance_id": "x", "context": "c", "question": "q", "answers": {}},
        ),
        (
            "mocha",
            ("allenai/mocha", None),
            {
                "id": "x",
                "constituent_dataset": "drop",
                "context": "c",
                "question": "q",
                "reference": "r",
                "candidate": "k",
                "score": 1.0,
                "metadata": {},
                "candidate2": "",
            },
            {
                "instance_id": "x",
                "constituent_dataset": "drop",
                "context": "c",
                "question": "q",
                "reference": "r",
                "candidate": "k",
                "score": 1.0,
                "metadata": {},
            },
        ),
    ],
)
def test_the_data_sets_of_the_ancestor_are_read(
    name: str, asked: object, row: object, instance: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader([row])
    monkeypatch.setitem(sys.modules, "datasets", loader)

    assert HuggingfaceDatasetsDatasetReader(name, "test").read() == [instance]
    assert loader.asked == [(*asked, {"split": "test"})]  # type: ignore[misc]


@pytest.mark.parametrize("name", ["squad-v2", "squad_v2", "squad_v2/squad_v2", "squad-v2/squad_v2"])
def test_a_data_set_has_its_name_of_the_docs_and_of_the_code(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Defect 21: the ancestor's docs said squad-v2, and its code knew squad_v2 alone."""
    loader = Loader([])
    monkeypatch.setitem(sys.modules, "datasets", loader)

    assert HuggingfaceDatasetsDatasetReader(name, "validation").read() == []
    assert loader.asked == [("rajpurkar/squad_v2", None, {"split": "validation"})]


def test_an_unknown_data_set_is_told_before_anything_is_loaded() -> None:
    with pytest.raises(UnknownNameError, match=r"'squad'; did you mean 'squad_v2'\?"):
        HuggingfaceDatasetsDatasetReader("squad", "test")


def test_a_missing_library_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'repro-models\[datasets\]'"):
        HuggingfaceDatasetsDatasetReader("xsum", "test").read()


@pytest.mark.parametrize("error", [ConnectionError("no route"), ValueError("no route\nat all")])
def test_a_data_set_that_cannot_be_had_is_told_with_what_helps(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", Loader(error))

    with pytest.raises(DataFileError, match=r"xsum cannot be had: no route; .* HF_HUB_OFFLINE=1"):
        HuggingfaceDatasetsDatasetReader("xsum", "test").read()


def test_a_data_set_takes_no_files() -> None:
    with pytest.raises(ConfigurationError, match="xsum is a data set, and takes no files"):
        HuggingfaceDatasetsDatasetReader("xsum", "test").read("rows.jsonl")
