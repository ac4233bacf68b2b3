"""Claims with options of a call and suites of corpora, examples with tolerances, and costs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.engine import image as images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.engine.client import Engine

    Run = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
NAMESPACE = "repro-test-measuring"

CARD = """
version = "1.0"
title   = "Lengths"
summary = "A package of the tests"
license = "Apache-2.0"
upstream = "lengths 1.0"
languages = ["en", "pt-BR"]

[models.lengths]
class = "Lengths"
task  = "text-classification"

[models.lengths-mean]
class   = "Mean"
task    = "text-generation-evaluation"
command = ["python", "run_mean.py"]
"""

CLAIM = """
[[claims]]
model    = "{model}"
{subject}
reported = "{reported}"
source   = "Table {number}"
"""

CODE = """
from repro.models import DockerModel, Metric, Model

@Model.register("lengths")
class Lengths(DockerModel):
    def __init__(self, image: str | None = None, *, scale: float = 1.0, **common: object) -> None:
        super().__init__(image, **common)

    def predict(self, text: str, *, offset: int = 0) -> float:
        return self.answer(text=text, offset=offset)

@Model.register("lengths-mean")
class Mean(Metric):
    Row = int
    Corpus = float

    def predict(self, text: str) -> float:
        return self.answer(text=text)
"""

RUN = """
import sys
from repro_runtime import main

def predict(scale, instances, offset=0):
    print("scale", scale, "offset", offset, file=sys.stderr)
    return [len(i["text"]) * scale + offset for i in instances]

main(lambda scale=1.0: scale, predict)
"""

RUN_MEAN = """
from repro_runtime import main

def aggregate(rows):
    rows = list(rows)
    return sum(rows) / len(rows)

main(lambda: None, lambda model, instances: [len(i["text"]) for i in instances],
     aggregate=aggregate)
"""

CLAIMS = [
    ("lengths", 'input = { text = "ab" }', "2"),
    ("lengths", 'input = { text = "ab" }\noptions = { offset = 1 }', "3"),
    ("lengths", 'input = { text = "abc" }\noptions = { offset = 1 }', "4"),
    ("lengths", 'input = { text = "ab" }\noptions = { scale = 2.0, offset = 1 }', "5"),
    ("lengths", 'cases = "claims/near.jsonl"\nmetric = "exact"', "0.5"),
    (
        "lengths",
        'cases = "claims/near.jsonl"\nmetric = "within"\nmetric_options = { tolerance = 0.01 }',
        "1.0",
    ),
    ("lengths", 'cases = "claims/near.jsonl"\nmetric = "exact"\noptions = { offset = 9 }', "0.0"),
    ("lengths-mean", 'cases = "claims/corpora.jsonl"\nmetric = "exact"', "1.0"),
    ("lengths-mean", 'cases = "claims/rows.jsonl"\nmetric = "exact"', "1.0"),
]
ROWS: dict[str, list[dict[str, Any]]] = {
    "claims/near.jsonl": [
        {"input": {"text": "ab"}, "expected": 2},
        {"input": {"text": "abc"}, "expected": 2.99},
    ],
    "claims/corpora.jsonl": [
        {"inputs": [{"text": "a"}, {"text": "abcd"}], "expected": 2.5},
        {"inputs": [{"text": "a"}], "expected": 1},
    ],
    "claims/rows.jsonl": [{"input": {"text": "abcd"}, "expected": 4}],
    "examples.jsonl": [
        {"model": "lengths", "input": {"text": "ab"}, "output": 2},
        {"model": "lengths", "input": {"text": "abc"}, "output": 3.01, "tolerance": 0.01},
        {"model": "lengths-mean", "input": {"text": "ab"}, "output": 2.0},
    ],
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Path]:
    """The folder of a package in a copy of the library, whose image is built."""
    checkout = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", "*20??")
    shutil.copytree(ROOT / "repro", checkout / "repro", ignore=ignored)
    shutil.copy(ROOT / "Dockerfile.base", checkout)
    code, folder = checkout / "repro" / "models" / "lengths", checkout / "models" / "lengths"
    for made in (code, folder / "src", folder / "claims"):
        made.mkdir(parents=True)
    claims = [
        CLAIM.format(model=model, subject=subject, reported=reported, number=number)
        for number, (model, subject, reported) in enumerate(CLAIMS)
    ]
    (folder / "model.toml").write_text(CARD + "".join(claims))
    (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY src/ .\n")
    (folder / "src" / "run.py").write_text(RUN)
    (folder / "src" / "run_mean.py").write_text(RUN_MEAN)
    (code / "__init__.py").write_text(CODE)
    for name, rows in ROWS.items():
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (checkout / "config.toml").write_text(f'namespace = "{NAMESPACE}"\n')
    yield folder
    for name in images.names(engine):
        if name.startswith(f"{NAMESPACE}/"):
            images.remove(engine, name, force=True)


@pytest.fixture
def repro(package: Path) -> Run:
    """Run the command line, in the folder of the package."""
    checkout = package.parents[1]
    settings = {"PYTHONPATH": str(checkout), "REPRO_CONFIG": str(checkout / "config.toml")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "repro", *words],
            cwd=package,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    assert run("setup", "lengths").returncode == 0
    return run


def test_claims_come_out_whichever_options_and_suites_they_have(repro: Run) -> None:
    done = repro("reproduce", "lengths", "--json")

    assert done.returncode == 0, done.stderr
    assert [claim["verdict"] for claim in json.loads(done.stdout)] == ["reproduced"] * len(CLAIMS)
    assert done.stderr.count("published inputs") == 3  # no more batches than options of calls
    assert done.stderr.count("near.jsonl, 2 rows") == 2


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("offset = 1", "ofset = 1", "lengths has no option 'ofset'"),
        ("offset = 1", "offset = 'x'", "option 'offset' of lengths is not int"),
        ('"claims/rows.jsonl"', '"claims/none.jsonl"', "claims.cases: no claims/none.jsonl"),
        (
            '"claims/rows.jsonl"',
            '"examples.jsonl"',
            "lengths/examples.jsonl: the file: is no suite",
        ),
        (
            '"lengths-mean"\ncases = "claims/corpora.jsonl"',
            '"lengths"\ncases = "claims/corpora.jsonl"',
            "lengths has no value over several inputs together",
        ),
    ],
)
def test_a_claim_that_asks_for_what_there_is_not_is_told(
    repro: Run, package: Path, before: str, after: str, said: str
) -> None:
    card = package / "model.toml"
    content = card.read_text()
    assert before in content
    try:
        card.write_text(content.replace(before, after))
        done = repro("reproduce", "lengths")
    finally:
        card.write_text(content)

    assert done.returncode in {1, 2}
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_an_example_may_differ_by_its_tolerance_and_no_more(repro: Run, package: Path) -> None:
    file = package / "examples.jsonl"
    content = file.read_text()

    right = repro("test", "lengths")
    try:
        file.write_text(content.replace('"tolerance": 0.01', '"tolerance": 0.009'))
        wrong = repro("test", "lengths", "--json")
        file.write_text(content.replace('"tolerance": 0.01', '"tolerance": "0.01"'))
        refused = repro("test", "lengths")
    finally:
        file.write_text(content)

    assert right.returncode == 0, right.stdout
    assert wrong.returncode == 1
    assert [result["passed"] for result in json.loads(wrong.stdout)] == [True, False, True]
    assert refused.returncode == 2
    assert "row 2: has a tolerance of '0.01', which is no number from 0 up" in refused.stderr


def test_what_the_models_cost_is_recorded_and_shown(repro: Run, package: Path) -> None:
    before = repro("info", "lengths")
    done = repro("reproduce", "lengths", "--record")
    ledger = json.loads((package / "ledger.json").read_text())
    after = repro("info", "lengths")
    about = json.loads(repro("info", "lengths-mean", "--json").stdout)["models"]

    assert done.returncode == 0, done.stderr
    (image,) = ledger["images"].values()
    assert 100 < image["bytes_added"] < 100_000  # the two programs
    assert set(ledger["models"]) == {"lengths", "lengths-mean"}
    for costs in ledger["models"].values():
        assert 0 <= costs["load_seconds"] < 10
        assert 0 < costs["row_seconds"] < costs["first_seconds"] < 60
    assert ledger["cores"] > 0
    assert "costs " not in before.stdout
    assert after.stdout.count("adds less than 1 MB to the base") == 2
    assert about[0]["costs"]["row_seconds"] == ledger["models"]["lengths-mean"]["row_seconds"]
    assert about[0]["costs"]["cores"] == ledger["cores"]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, True),
        ({"version": "0.9"}, False),  # of another image
        ({"models": {}, "images": {}}, False),  # as ledgers were before
    ],
)
def test_costs_are_those_of_the_version_at_hand(
    repro: Run, package: Path, change: dict[str, Any], shown: bool
) -> None:
    costs = {"load_seconds": 12.0, "first_seconds": 13.0, "row_seconds": 0.061}
    ledger = {"version": "1.0", "models": {"lengths": costs}}
    image = {f"{NAMESPACE}/lengths:1.0": {"id": "x", "context": "y", "bytes_added": 211_000_000}}
    (package / "ledger.json").write_text(json.dumps({**ledger, "images": image, **change}))

    done = repro("info", "lengths")

    told = "loads in 12 s, the first answer after 13 s, 61 ms a row, adds 211 MB to the base\n"
    assert done.returncode == 0, done.stderr
    assert (told in done.stdout) == shown


def test_a_ledger_that_is_none_is_told(repro: Run, package: Path) -> None:
    (package / "ledger.json").write_text("<<<<<<<")

    done = repro("info", "lengths")

    assert done.returncode == 2
    assert "ledger.json: is not JSON" in done.stderr


def test_information_tells_task_languages_and_program(repro: Run, package: Path) -> None:
    (package / "ledger.json").unlink(missing_ok=True)
    text = repro("info", "lengths").stdout
    about = json.loads(repro("info", "lengths", "--json").stdout)
    listed = repro("list", "--language", "pt", "--modality", "text->label").stdout

    assert "model    lengths (text-classification: text → label)" in text
    assert "language en, pt-BR" in text
    assert "program  lengths 1.0" in text
    assert (about["languages"], about["upstream"]) == (["en", "pt-BR"], "lengths 1.0")
    assert about["models"][1]["modality"] == "text, text → number"
    assert listed.splitlines()[0].split() == [
        *("model", "task", "language", "title", "paper", "license"),
    ]
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["lengths"]
