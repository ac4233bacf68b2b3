"""Summaries and their references, in the files of SacreROUGE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.common.io import read_jsonl_file
from repro.data.dataset_readers.dataset_reader import INSTANCE_ID, DatasetReader
from repro.errors import DataFileError

if TYPE_CHECKING:
    from repro.data.types import InstanceDict


@DatasetReader.register("sacrerouge")
class SacreROUGEDatasetReader(DatasetReader):
    """Reads a summary and its references from each line.

    An instance has the fields ``summary`` and ``references``; a line has its texts as
    ``{"text": …}``, and ``reference`` may stand for a list of one.
    """

    def _read(self, *input_files: str) -> list[InstanceDict]:
        return [
            _instance(row, file, number)
            for file in input_files
            for number, row in enumerate(read_jsonl_file(file), start=1)
        ]


def _instance(row: Any, file: str, number: int) -> InstanceDict:
    try:
        identity = {INSTANCE_ID: row[INSTANCE_ID]} if INSTANCE_ID in row else {}
        references = [row["reference"]] if "reference" in row else row["references"]
        return {
            **identity,
            "summary": row["summary"]["text"],
            "references": [reference["text"] for reference in references],
        }
    except (KeyError, TypeError, IndexError) as error:
        problem = (
            f"row {number} is no summary of SacreROUGE ({error}): it needs "
            '"summary": {"text": …}, and "reference": {"text": …} or "references": [{"text": …}]'
        )
        raise DataFileError(file, problem) from error
