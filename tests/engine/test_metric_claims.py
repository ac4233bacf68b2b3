"""Claims in a metric that is a model, and over cases that may not be passed on."""

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
    from collections.abc import Iterator

    from repro.engine.client import Engine

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "repro-test-metric"

CARD = """
version = "1.0"
title   = "Sample"
summary = "A package of the tests"
license = "Apache-2.0"
upstream = "the tests"

[models.smith2020-first]
class = "First"
task  = "summarization"

[models.smith2020-overlap]
class   = "Overlap"
task    = "text-generation-evaluation"
command = ["python", "overlap.py"]
"""

CLAIM = """
[[claims]]
model       = "smith2020-first"
cases       = "claims/news.jsonl"
obtain      = "ask the publisher"
path        = "summary"
metric      = "{metric}"
metric_path = "{path}"
reported    = "{reported}"
source      = "Table 1"
"""

CODE = """
from typing import Any, ClassVar
from repro.models import DockerModel, Model
from repro.models.metric import Metric

@Model.register("smith2020-first")
class First(DockerModel):
    def predict(self, text: str) -> dict:
        return self.answer(text=text)

@Model.register("smith2020-overlap")
class Overlap(Metric):
    Row: ClassVar[Any] = dict
    Corpus: ClassVar[Any] = dict

    def predict(self, candidate: str, references: list[str]) -> dict:
        return self.answer(candidate=candidate, references=references)
"""

FIRST = """
from repro_runtime import main

main(lambda: None, lambda m, rows: [{"summary": r["text"].split(".")[0]} for r in rows])
"""

OVERLAP = """
from repro_runtime import main

def score(row):
    one, other = (set(text.split()) for text in (row["candidate"], *row["references"]))
    return {"recall": len(one & other) / len(other), "precision": len(one & other) / len(one)}

def aggregate(rows):
    rows = list(rows)
    return {"mean": {name: sum(r[name] for r in rows) / len(rows) for name in rows[0]}}

main(lambda: None, lambda model, rows: [score(row) for row in rows], aggregate)
"""

CASES = [
    {"input": {"text": "A cat sat. It slept."}, "expected": "The cat sat"},
    {"input": {"text": "It rains. Still."}, "expected": "It rains in Spain"},
]


@pytest.fixture
def checkout(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    """A copy of the library that has one package."""
    ignored = shutil.ignore_patterns("__pycache__", "*20??")
    shutil.copytree(ROOT / "repro", tmp_path / "repro", ignore=ignored)
    shutil.copy(ROOT / "Dockerfile.base", tmp_path)
    package, code = tmp_path / "models" / "smith2020", tmp_path / "repro" / "models" / "smith2020"
    (package / "src").mkdir(parents=True)
    (package / "claims").mkdir()
    (package / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY src/ .\n")
    (package / "src" / "run.py").write_text(FIRST)
    (package / "src" / "overlap.py").write_text(OVERLAP)
    code.mkdir()
    (code / "__init__.py").write_text(CODE)
    config = Path(os.environ["REPRO_CONFIG"]).read_text()
    (tmp_path / "config.toml").write_text(f'{config}namespace = "{NAMESPACE}"\n')
    yield tmp_path
    images.remove(engine, f"{NAMESPACE}/smith2020:1.0", force=True)


def reproduce(checkout: Path, *claims: tuple[str, str, str]) -> tuple[int, list[dict[str, Any]]]:
    written = [CLAIM.format(metric=m, path=path, reported=value) for m, path, value in claims]
    (checkout / "models" / "smith2020" / "model.toml").write_text("".join([CARD, *written]))
    settings = {"PYTHONPATH": str(checkout), "REPRO_CONFIG": str(checkout / "config.toml")}
    done = subprocess.run(
        [sys.executable, "-m", "repro", "reproduce", "smith2020", "--build", "--json"],
        cwd=checkout,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_model_that_is_a_metric_measures_a_claim(checkout: Path) -> None:
    cases = checkout / "models" / "smith2020" / "claims" / "news.jsonl"
    recall = ("smith2020-overlap", "mean.recall", "0.58")
    status, missing = reproduce(checkout, recall)
    cases.write_text("".join(json.dumps(row) + "\n" for row in CASES))
    failed, (right, wrong, none, nobody) = reproduce(
        checkout,
        recall,
        ("smith2020-overlap", "mean.precision", "0.5"),
        ("smith2020-first", "", "1"),
        ("smith2021-nobody", "", "1"),
    )

    assert (status, failed) == (0, 1)
    assert [one["verdict"] for one in missing] == ["not run"]
    assert missing[0]["error"] == "claims/news.jsonl is not there: ask the publisher"
    assert (right["verdict"], right["reproduced"]) == ("reproduced", pytest.approx(7 / 12))
    assert (wrong["verdict"], wrong["reproduced"]) == ("differs", pytest.approx(5 / 6))
    assert (none["verdict"], none["error"]) == ("error", "smith2020-first is no metric")
    assert nobody["verdict"] == "error"
    assert "there is no model called 'smith2021-nobody'" in nobody["error"]
