"""The instances of a run: which of them are looked at before anything is started."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from repro.errors import DataFileError, InstanceError
from repro.models.schema import Schema
from repro.operations import source
from repro.operations.job import PredictionJob
from repro.operations.source import Source

if TYPE_CHECKING:
    from pathlib import Path


def predict(self: object, text: str) -> str:
    """Have a signature."""
    raise NotImplementedError


SCHEMA = Schema.of("m", predict)


def rows(path: Path, *texts: object) -> str:
    """Write a file of rows; return its path."""
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(path)


def test_all_rows_come_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "AHEAD", 3)
    inputs = (rows(tmp_path / "one", "a", "b"), rows(tmp_path / "two", "c", "d", "e"))

    with Source(PredictionJob(model="m", inputs=inputs), SCHEMA, whole=True) as found:
        ahead = found.checked_ahead()
        seen = found.count
        texts = [row["text"] for row in ahead]
        heads = [found.head()["input"]["text"] for _ in texts]

    assert seen == 3
    assert texts == heads == ["a", "b", "c", "d", "e"]


def test_a_row_that_is_not_right_is_told_at_once(tmp_path: Path) -> None:
    job = PredictionJob(model="m", inputs=(rows(tmp_path / "one", "a", 2),))

    with (
        Source(job, SCHEMA) as found,
        pytest.raises(InstanceError, match="instance 1 for 'm': field 'text' is not str"),
    ):
        found.checked_ahead()


def test_rows_that_take_much_memory_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "AHEAD_BYTES", 1000)
    inputs = (rows(tmp_path / "one", *["x" * 600] * 5),)

    with Source(PredictionJob(model="m", inputs=inputs), SCHEMA) as found:
        ahead = found.checked_ahead()
        seen = found.count
        count = sum(1 for _ in ahead)

    assert (seen, count) == (2, 5)


def test_of_a_stream_one_row_is_read_as_its_writer_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"text": "a"}\n{"text": "b"}\n')
    os.close(writing)

    with os.fdopen(reading, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with Source(PredictionJob(model="m"), SCHEMA) as found:
            ahead = found.checked_ahead()
            seen = found.count
            texts = [row["text"] for row in ahead]

    assert seen == 1
    assert texts == ["a", "b"]


def test_a_standard_input_that_is_a_file_is_read_ahead_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(tmp_path / "in", "a", 2)

    with (tmp_path / "in").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with (
            Source(PredictionJob(model="m"), SCHEMA) as found,
            pytest.raises(InstanceError, match="instance 1"),
        ):
            found.checked_ahead()


def test_a_standard_input_that_is_no_file_at_all_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a"}\n')))

    with Source(PredictionJob(model="m"), SCHEMA) as found:
        texts = [row["text"] for row in found.checked_ahead()]

    assert texts == ["a"]


def test_a_file_that_is_missing_is_told_before_those_before_it_are_read(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    job = PredictionJob(model="m", inputs=(rows(tmp_path / "one", 1), absent))

    with (
        Source(job, SCHEMA) as found,
        pytest.raises(DataFileError, match=f"^{absent}: No such file or directory$"),
    ):
        found.checked_ahead()
