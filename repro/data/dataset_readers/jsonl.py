"""Instances in files of JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.common.io import read_jsonl_file
from repro.data.dataset_readers.dataset_reader import DatasetReader

if TYPE_CHECKING:
    from repro.data.types import InstanceDict


@DatasetReader.register("jsonl")
class JSONLinesDatasetReader(DatasetReader):
    """Reads one instance a line."""

    def _read(self, *input_files: str) -> list[InstanceDict]:
        return [row for file in input_files for row in read_jsonl_file(file)]
