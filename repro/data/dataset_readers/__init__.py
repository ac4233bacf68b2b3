"""Dataset readers, found by name: what turns files or a published data set into instances."""

from __future__ import annotations

from repro.data.dataset_readers.dataset_reader import DatasetReader
from repro.data.dataset_readers.huggingface import HuggingfaceDatasetsDatasetReader
from repro.data.dataset_readers.jsonl import JSONLinesDatasetReader
from repro.data.dataset_readers.sacrerouge import SacreROUGEDatasetReader

__all__ = [
    "DatasetReader",
    "HuggingfaceDatasetsDatasetReader",
    "JSONLinesDatasetReader",
    "SacreROUGEDatasetReader",
]
