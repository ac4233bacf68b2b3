"""Published data sets, through the library `datasets`, which is imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from repro.data.dataset_readers.dataset_reader import INSTANCE_ID, DatasetReader
from repro.errors import ConfigurationError, DataFileError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from repro.data.types import InstanceDict

Row = Any  # a row of a data set, by column
Convert = Callable[[Row], dict[str, Any]]


@dataclass(frozen=True)
class _DataSet:
    """A data set that we know the columns of.

    The ancestor's names of versions that the hub no longer has are `former`: they mean the default.
    """

    path: str
    convert: Convert
    version: str | None = None
    former: str | None = None


@DatasetReader.register("huggingface-datasets")
class HuggingfaceDatasetsDatasetReader(DatasetReader):
    """Reads a split of a data set of the Hugging Face Hub, or of its local cache.

    Parameters
    ----------
    dataset_name : str
        ``cnn_dailymail``, ``mocha``, ``scientific_papers``, ``squad_v2`` or ``xsum``, with hyphens
        or underscores, and ``/version`` if it shall be another than the default.
    split : str
        Such as ``test``.

    Raises
    ------
    UnknownNameError
        If it is none of them; the ancestor told only after it was downloaded.
    """

    def __init__(self, dataset_name: str, split: str) -> None:
        name, _, version = dataset_name.partition("/")
        if name.replace("-", "_") not in _DATA_SETS:
            raise UnknownNameError("data set", dataset_name, _DATA_SETS)
        self.dataset_name, self.split = dataset_name, split
        self._about = _DATA_SETS[name.replace("-", "_")]
        former = version in {"", self._about.former}
        self._version = self._about.version if former else version

    def _read(self, *input_files: str) -> Iterable[InstanceDict]:
        if input_files:
            raise ConfigurationError(f"{self.dataset_name} is a data set, and takes no files")
        for index, row in enumerate(self._load()):
            made_up = f"{self._version or self.dataset_name}-{self.split}-{index}"
            identity = row.get("id", made_up)
            yield {INSTANCE_ID: identity, **self._about.convert(row)}

    def _load(self) -> Iterable[Row]:
        try:
            datasets = import_module("datasets")
        except ImportError as error:
            raise ConfigurationError(
                "reading data sets of the Hugging Face Hub needs the library `datasets`; "
                "pip install 'repro-models[datasets]'"
            ) from error
        try:
            rows: Iterable[Row] = datasets.load_dataset(
                self._about.path, self._version, split=self.split
            )
        # What it raises is its own and its libraries', and of no common kind.
        except Exception as error:
            problem = str(error).strip().partition("\n")[0] or type(error).__name__
            raise DataFileError(
                f"{self.dataset_name}, {self.split}",
                f"the data set {self._about.path} cannot be had: {problem}; without a network, "
                "fetch it where there is one, copy the cache, and set HF_HOME to it "
                "and HF_HUB_OFFLINE=1",
            ) from error
        return rows


def _columns(*names: str) -> Convert:
    return lambda row: {name: row[name] for name in names}


def _cnn_dailymail(row: Mapping[str, str]) -> dict[str, Any]:
    return {"document": row["article"], "reference": row["highlights"].split("\n")}


def _scientific_papers(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "document": row["article"].split("\n"),
        "reference": row["abstract"].split("\n"),
        "section_names": row["section_names"].split("\n"),
    }


def _xsum(row: Mapping[str, str]) -> dict[str, Any]:
    return {"document": row["document"].split("\n"), "reference": row["summary"]}


_MOCHA = ("constituent_dataset", "context", "question", "reference", "candidate", "score")

_DATA_SETS = {
    "cnn_dailymail": _DataSet("abisee/cnn_dailymail", _cnn_dailymail, "3.0.0"),
    "mocha": _DataSet("allenai/mocha", _columns(*_MOCHA, "metadata")),
    "scientific_papers": _DataSet("armanc/scientific_papers", _scientific_papers),
    "squad_v2": _DataSet(
        "rajpurkar/squad_v2", _columns("context", "question", "answers"), former="squad_v2"
    ),
    "xsum": _DataSet("EdinburghNLP/xsum", _xsum, former="1.2.0"),
}
