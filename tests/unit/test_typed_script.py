"""A user's script that names its types is clean under `mypy --strict`."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import repro

SCRIPT = """
import argparse
from collections.abc import Iterator
from typing import Any

import repro
from repro import MODELS_ROOT, DockerModel, Model, ReproError, list_models, load
from repro.commands.subcommand import SetupSubcommand
from repro.common import ConfigurationError, Registrable, TemporaryDirectory, util
from repro.common.docker import BuildDockerImageSubcommand, DockerContainer, build_image
from repro.common.docker import image_exists, make_volume_map, pull_image, remove_image, run_command
from repro.common.io import read_jsonl_file, write_to_jsonl_file, write_to_text_file
from repro.common.logging import prepare_global_logging
from repro.data.dataset_readers import DatasetReader, HuggingfaceDatasetsDatasetReader
from repro.data.output_writers import DefaultOutputWriter, OutputWriter
from repro.data.types import DocumentType, InstanceDict, MetricsType, SummaryType, TextType
from repro.models import ParallelModel, QuestionAnsweringModel, SingleDocumentSummarizationModel
from repro.testing import FIXTURES_ROOT, DockerTestContextManager, assert_dicts_approx_equal
from repro.testing import get_testing_device_parameters


@Model.register("typed-text")
class Text(Model):
    def __init__(self, image: str = "x:1", device: int = 0) -> None:
        self.image = image

    def predict(self, text: TextType, **kwargs: Any) -> str:
        return self.predict_batch([{"text": text}], **kwargs)[0]

    def predict_batch(self, inputs: Any, **kwargs: Any) -> list[str]:
        with DockerContainer(self.image) as backend:
            write_to_jsonl_file(
                [one["text"] for one in inputs], "text", f"{backend.host_dir}/in", flatten=True
            )
            said: str = backend.run_command(command="true", network_disabled=True)
            return [row["output"] for row in read_jsonl_file(f"{backend.host_dir}/out")] + [said]


@Model.register("typed-metric")
class Metric(Model):
    def predict_batch(
        self, inputs: Any, **kwargs: Any
    ) -> tuple[MetricsType, list[MetricsType]]:
        candidates = [util.flatten(one["candidate"]) for one in inputs]
        references: list[list[TextType]] = [one["references"] for one in inputs]
        grouped, texts, mapping = util.group_by_references(candidates, references)
        with TemporaryDirectory() as temp:
            volumes = make_volume_map(f"{temp}/in")
            write_to_text_file(candidates, f"{temp}/in/texts.txt", separator=" ")
            run_command("x:1", f"cat {volumes[f'{temp}/in']}", volume_map=volumes, cuda=False)
        scores = [[float(len(one)) for one in group] for group in grouped]
        micro: list[MetricsType] = [
            {"length": {"characters": value}} for value in util.ungroup_values(scores, mapping)
        ]
        by_group = util.aggregate_metrics_by_group([0] * len(micro), micro)
        assert_dicts_approx_equal(by_group[0], util.average_dicts(micro), abs=0.1)
        return util.average_dicts(micro), micro


class Summarizer(SingleDocumentSummarizationModel):
    def predict_batch(self, inputs: Any, **kwargs: Any) -> list[SummaryType]:
        return [one["document"] for one in inputs]


class Score(DockerModel):
    def predict(self, text: str, *, mode: str = "a") -> float:
        return self.answer(text=text, mode=mode)


@DatasetReader.register("typed-lines")
class Lines(DatasetReader):
    def _read(self, *input_files: str) -> list[InstanceDict]:
        return [{"text": line} for file in input_files for line in open(file)]


@OutputWriter.register("typed-writer")
class Writer(OutputWriter):
    def __init__(self) -> None:
        super().__init__(True)

    def _write(
        self, instances: Any, predictions: Any, output_file_or_dir: str, *args: Any, **kwargs: Any
    ) -> None:
        write_to_jsonl_file(predictions, "prediction", output_file_or_dir)


@SetupSubcommand.register("typed")
class Setup(BuildDockerImageSubcommand):
    def __init__(self) -> None:
        super().__init__(f"{MODELS_ROOT}/typed", "x:1")

    def run(self, args: argparse.Namespace) -> None:
        build_image(self.root, args.image_name, {"A": "b"}, silent=args.silent)


def stream(model: DockerModel, rows: list[InstanceDict]) -> Iterator[float]:
    yield from model.predict_stream(rows)


def main(document: DocumentType) -> None:
    prepare_global_logging("out.log", silent=True)
    instances: list[InstanceDict] = DatasetReader.by_name("jsonl")().read("a.jsonl", "b.jsonl")
    instances += HuggingfaceDatasetsDatasetReader("squad_v2", "validation").read()
    outputs = ParallelModel(Metric, [{}, {}]).predict_batch(instances, mode="x")
    macro, micro = util.aggregate_parallel_metrics(outputs)
    DefaultOutputWriter(include_input=True).write(instances, micro, "out.jsonl", model_name="x")
    summary: SummaryType = Summarizer().predict(document, beam=5)
    score: float = Score(device=-1, timeout=60.0).predict("text", mode="b")
    vader = load("hutto2014-vader", device=-1)
    try:
        print(vader.predict(text="good"), list_models(), macro, summary, score)
    except ReproError as error:
        print(error, repro.__version__)
    single: list[TextType] = util.check_for_single_texts([["a"], [["b", "c"]]])
    devices: list[tuple[int]] = get_testing_device_parameters(gpu_only=True)
    print(single, devices, FIXTURES_ROOT, Registrable, ConfigurationError("x"))
    with DockerTestContextManager("x:1"):
        if not image_exists("x:1"):
            pull_image("x:1")
        remove_image("x:1", force=True)


main(["a", "b"])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder away from this checkout, where what is known of the library is kept."""
    return tmp_path_factory.mktemp("typed")


def mypy(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Check a script as a user would, without the settings of this checkout.

    What mypy knows of libraries is kept beside what it knows of this checkout.
    """
    pytest.importorskip("mypy")
    (folder / "script.py").write_text(textwrap.dedent(script))
    cache = Path(__file__).resolve().parents[2] / ".mypy_cache" / "script"
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={cache}", "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_script_that_uses_the_public_names_is_clean(folder: Path) -> None:
    assert (Path(repro.__file__).parent / "py.typed").is_file()

    done = mypy(SCRIPT, folder)

    assert done.stdout == "Success: no issues found in 1 source file\n", done.stdout
    assert done.stderr == ""


def test_a_mistake_in_a_script_is_found(folder: Path) -> None:
    """The names have types: that a script is clean would mean nothing if all were Any."""
    done = mypy(
        """
        from repro.common.io import write_to_text_file
        from repro.common.util import flatten
        from repro.data.types import MetricsType
        from repro.models import TruecasingModel

        scores: MetricsType = {"a": {"b": "text"}}
        write_to_text_file(["a"], 3)
        length: int = flatten(["a"])
        answer: int = TruecasingModel().predict("a")
        """,
        folder,
    )

    found = [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line]
    assert found == ["7", "8", "9", "10"], done.stdout
