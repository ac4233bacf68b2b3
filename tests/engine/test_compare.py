"""Several models over the same rows: side by side, also where one of them fails."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.engine.owner import LABEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.engine.client import Engine

    Run = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]

CODE = '''
from typing import Any
from repro.models import DockerModel, Model
from repro.models.docker_model import Program

PROGRAM = """
import os
from repro_runtime import main

def load(plus=0):
    return plus

def predict(model, instances, times=1):
    return [answer(model, times, i.get("text") or i["sentence"]) for i in instances]

def answer(plus, times, text):
    if text == "raise": raise ValueError("cannot do this one")
    return {"length": (len(text) + plus) * times, "first": text[:1], "parts": text.split()}

main(load, predict)
"""
DYING = "raise SystemExit(3)"

@Model.register("counting-one")
class One(DockerModel):
    program = Program(image="IMAGE", command=("python", "-c", PROGRAM))

    def __init__(self, image=None, *, plus: int = 0, **common: Any) -> None:
        super().__init__(image, **common)

    def predict(self, text: str, *, times: int = 1) -> Any:
        return self.answer(text=text, times=times)

@Model.register("counting-two")
class Two(One):
    def predict(self, sentence: str) -> Any:
        return self.answer(sentence=sentence)

@Model.register("counting-dying")
class Dying(DockerModel):
    program = Program(image="IMAGE", command=("python", "-c", DYING))

    def predict(self, text: str) -> Any:
        return self.answer(text=text)

@Model.register("counting-missing")
class Missing(Dying):
    program = Program(image="repro-tests/not-there:1")

@Model.register("counting-plain")
class Plain(Model):
    def predict_batch(self, inputs, **kwargs):
        return [{"length": len(one["text"]), "first": one["text"][:1]} for one in inputs]

    def predict(self, text: str) -> Any:
        return self.predict_batch([{"text": text}])[0]
'''

GIVEN = "".join(json.dumps({"text": text}) + "\n" for text in ("a", "bcd", "ef", "a b c"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, bookworm: str) -> Path:
    """A copy of the library with the package `counting`."""
    folder = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", "*20??")
    shutil.copytree(ROOT / "repro", folder / "repro", ignore=ignored)
    (folder / "models").mkdir()
    (folder / "repro/models/counting").mkdir()
    (folder / "repro/models/counting/__init__.py").write_text(CODE.replace("IMAGE", bookworm))
    shutil.copy(ROOT / "Dockerfile.base", folder)
    return folder


@pytest.fixture
def compare(checkout: Path, tmp_path: Path) -> Run:
    """Compare models over rows of standard input."""

    def run(*words: str, given: str = GIVEN) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "repro", "compare", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


BOTH = ("counting-one", "counting-two", "--rename", "counting-two:text=sentence")
OFF_BY_TWO = ("--load-option", "counting-two:plus=2")


def test_models_whose_fields_differ_are_compared_over_the_same_rows(compare: Run) -> None:
    done = compare(*BOTH, *OFF_BY_TWO, "--json")
    found = json.loads(done.stdout)
    labels = {agreed["path"]: agreed for agreed in found["agreement"]}

    assert (done.returncode, done.stderr) == (0, "")
    assert found["models"] == ["counting-one", "counting-two"]
    assert [row["predictions"]["counting-two"]["length"] for row in found["rows"]] == [3, 5, 4, 7]
    assert found["rows"][3] == {
        "instance_id": "3",
        "input": {"text": "a b c"},
        "predictions": {
            "counting-one": {"length": 5, "first": "a", "parts": ["a", "b", "c"]},
            "counting-two": {"length": 7, "first": "a", "parts": ["a", "b", "c"]},
        },
    }
    assert list(labels) == ["length", "first"]
    assert labels["length"]["largest_difference"] == 2
    assert labels["length"]["pearson_r"] == pytest.approx(1.0)
    assert labels["first"]["cohen_kappa"] == pytest.approx(1.0)


def test_a_table_shows_both_and_how_far_they_agree(compare: Run) -> None:
    done = compare(*BOTH, *OFF_BY_TWO, "--path", "length", "--show", "2")
    table, agreement = done.stdout.split("\n\n")

    assert done.returncode == 0, done.stderr
    assert table.splitlines()[1].split() == ["0", "a", "length", "1", "3"]
    assert table.endswith("… and 2 rows more; --output FILE writes all")
    assert agreement.split()[-5:] == ["4", "1.0000", "1.0000", "2", "0"]


def test_a_model_is_compared_with_itself_under_other_options(compare: Run) -> None:
    plain, other = "counting-one", "counting-one@plus=2@times=3"
    done = compare(plain, other, "--json", "--load-option", f"{plain}:plus=1")
    found = json.loads(done.stdout)
    single = compare(plain, other, "--path", f"{other}:length", "--path", f"{plain}:first")

    assert (done.returncode, done.stderr) == (0, "")
    assert found["models"] == [plain, other]
    predictions = [row["predictions"] for row in found["rows"]]
    assert [said[plain]["length"] for said in predictions] == [2, 4, 3, 6]
    assert [said[other]["length"] for said in predictions] == [9, 15, 12, 21]
    assert {tuple(agreed["models"]) for agreed in found["agreement"]} == {(plain, other)}
    assert single.returncode == 0
    assert single.stdout.splitlines()[1].split() == ["0", "a", "first", "a", "9", "≠"]


def test_a_path_may_lead_into_a_list_and_what_is_not_there_is_left_out(compare: Run) -> None:
    done = compare(*BOTH, "--path", "parts.0", "--path", "parts.2", "--json")
    slip = compare(*BOTH, "--path", "part")

    assert slip.returncode == 2
    assert "has nothing at 'part'; it has length, first" in slip.stderr
    assert done.returncode == 2, "the first prediction has no third part"
    assert "nothing at 'parts.2'" in done.stderr


def test_a_row_that_fails_a_model_is_told_and_the_others_are_compared(compare: Run) -> None:
    given = GIVEN + '{"text": "raise", "instance_id": "bad"}\n'

    done = compare("counting-one", "counting-plain", "--json", given=given)
    shown = compare("counting-one", "counting-plain", "--path", "length", given=given)
    found = json.loads(done.stdout)

    assert done.returncode == shown.returncode == 1
    assert found["failed_rows"] == {"counting-one": 1, "counting-plain": 0}
    assert found["rows"][4]["errors"]["counting-one"]["type"] == "ValueError"
    assert found["rows"][4]["predictions"]["counting-plain"] == {"length": 5, "first": "r"}
    assert {agreed["rows"] for agreed in found["agreement"]} == {4}
    assert "(failed)" in shown.stdout
    assert "counting-one failed over 1 of 5 rows" in shown.stderr


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("counting-dying", "ended with status 3"),
        ("counting-missing", "repro-tests/not-there:1 is not on this engine"),
    ],
)
def test_a_model_that_fails_altogether_is_told_and_the_others_are_shown(
    compare: Run, failing: str, said: str, engine: Engine
) -> None:
    done = compare("counting-one", failing, "counting-plain", "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 1
    assert f"{failing} is left out: " in done.stderr
    assert said in found["failures"][failing]
    assert found["models"] == ["counting-one", "counting-plain"]
    assert {agreed["path"]: agreed.get("equal") for agreed in found["agreement"]} == {
        "length": None,
        "first": 1.0,
    }
    assert not [c for c in engine.api.containers(filters={"label": LABEL}) if _counts(c)]


def _counts(container: dict[str, Any]) -> bool:
    return "counting" in str(container["Labels"])


@pytest.mark.parametrize(("failing", "status"), [("counting-dying", 1), ("counting-missing", 3)])
def test_if_all_fail_the_status_is_that_of_the_first(
    compare: Run, failing: str, status: int
) -> None:
    other = {"counting-dying": "counting-missing", "counting-missing": "counting-dying"}[failing]
    done = compare(failing, other)

    assert done.returncode == status
    assert done.stdout == ""


def test_whole_predictions_go_into_json_lines_and_values_into_a_table(
    compare: Run, tmp_path: Path
) -> None:
    compare(*BOTH, "--output", "out.jsonl", "--show", "0")
    compare(*BOTH, "--output", "out.csv", "--path", "length", "--path", "parts", "--show", "0")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    table = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))

    assert [line["predictions"]["counting-one"]["parts"] for line in lines][3] == ["a", "b", "c"]
    assert table[3] == {
        "instance_id": "3",
        "counting-one.length": "5",
        "counting-two.length": "5",
        "counting-one.parts": '["a", "b", "c"]',
        "counting-two.parts": '["a", "b", "c"]',
    }


def test_a_plot_is_a_file_of_its_own(compare: Run, tmp_path: Path) -> None:
    done = compare(*BOTH, "--plot", "plot.html")

    assert done.returncode == 0
    assert (tmp_path / "plot.html").read_text().count("<svg") == 2


def test_a_field_that_a_model_has_not_is_told(compare: Run) -> None:
    done = compare("counting-one", "counting-two")

    assert done.returncode == 2
    assert "instance 0 for 'counting-two'" in done.stderr
    assert done.stdout == ""


def test_ten_thousand_rows_are_compared(compare: Run, tmp_path: Path) -> None:
    given = "".join(json.dumps({"text": "x" * (i % 50)}) + "\n" for i in range(1, 10_001))
    given = given.replace('""', '"yy"')

    done = compare(*BOTH, "--path", "length", "--output", "out.jsonl", given=given)

    assert done.returncode == 0, done.stderr
    assert "… and 9,980 rows more" in done.stdout
    assert (tmp_path / "out.jsonl").read_text().count("\n") == 10_000
