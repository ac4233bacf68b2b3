"""All claims of a machine: one table, a report, and packages that cannot be run among them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.engine import image as images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.engine.client import Engine

    Run = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "repro-test-reproduce"

CARD = """
version = "1.0"
title   = "Sample"
summary = "A package of the tests"
license = "Apache-2.0"
upstream = "sample 1.0"
publish = false

[images.second]
dockerfile = "Second"

[models.{package}-model]
class = "Sample"
task  = "text-transformation"

[models.{package}-second]
class = "Second"
task  = "text-transformation"
image = "second"

[[claims]]
model = "{package}-model"
input = {{ text = "ab" }}
reported = "2"
source = "Table 1"

[[claims]]
model = "{package}-model"
input = {{ text = "abc" }}
reported = "4"
source = "Table 1"
expect = "differs"
why = "<counted from one>"

[[claims]]
model = "{package}-second"
input = {{ text = "abc" }}
reported = "3"
source = "Table 2"
"""

CODE = """
from repro.models import DockerModel, Model

@Model.register("{package}-model")
class Sample(DockerModel):
    def predict(self, text: str) -> int:
        return self.answer(text=text)

@Model.register("{package}-second")
class Second(Sample):
    pass
"""

RUN = """
from repro_runtime import main

main(lambda: None, lambda model, instances: [len(i["text"]) for i in instances])
"""

WHOLE = "ARG BASE\nFROM ${BASE}\nWORKDIR /app\nCOPY src/ .\n"
DOCKERFILES = {  # of the two images of each package
    "good": (WHOLE, WHOLE),
    "half": (WHOLE, f"{WHOLE}RUN echo so sorry; exit 7\n"),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Path]:
    """A copy of the library with two packages: all of `good` can be built, `half` of the other."""
    folder = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__", "*20??")
    shutil.copytree(ROOT / "repro", folder / "repro", ignore=ignored)
    shutil.copy(ROOT / "Dockerfile.base", folder)
    for package, dockerfiles in DOCKERFILES.items():
        context, code = folder / "models" / package, folder / "repro" / "models" / package
        (context / "src").mkdir(parents=True)
        (context / "model.toml").write_text(CARD.format(package=package))
        for name, content in zip(("Dockerfile", "Second"), dockerfiles, strict=True):
            (context / name).write_text(content)
        (context / "src" / "run.py").write_text(RUN)
        code.mkdir()
        (code / "__init__.py").write_text(CODE.format(package=package))
    (folder / "config.toml").write_text(f'namespace = "{NAMESPACE}"\n')
    yield folder
    for name in images.names(engine):
        if name.startswith((f"{NAMESPACE}/", images.UNFINISHED + NAMESPACE)):
            images.remove(engine, name, force=True)


@pytest.fixture
def repro(checkout: Path, tmp_path: Path) -> Run:
    """Run the command line."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"PYTHONPATH": str(checkout), "REPRO_CONFIG": str(checkout / "config.toml")}
        return subprocess.run(
            [sys.executable, "-m", "repro", *words],
            cwd=tmp_path,
            env={**os.environ, **settings, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    return run


@pytest.fixture
def unfinished(engine: Engine) -> Iterator[None]:
    """Remove the layers that a failed build leaves."""
    yield
    for name in images.names(engine):
        if name.startswith(images.UNFINISHED + NAMESPACE):
            images.remove(engine, name, force=True)


def verdicts(done: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for claim in json.loads(done.stdout):
        found.setdefault(claim["model"], []).append(claim["verdict"])
    return found


def test_without_images_nothing_is_run_and_every_claim_says_so(repro: Run) -> None:
    done = repro("reproduce", "--all")

    assert done.returncode == 1
    assert done.stdout.count("  not run") == 6
    assert "half-second:1.0 is not on this engine; `repro setup half` builds it" in done.stdout
    assert done.stdout.endswith("6 claims: 0 reproduced (0.0%), 6 not run\n")
    assert "Traceback" not in done.stderr


def test_one_package_without_its_image_is_an_error_of_the_machine(repro: Run) -> None:
    done = repro("reproduce", "good")

    assert done.returncode == 3
    assert "`repro setup good` builds it" in done.stderr


def test_an_image_that_cannot_be_built_stops_no_other(
    repro: Run, unfinished: None, tmp_path: Path
) -> None:
    done = repro("reproduce", "--all", "--build", "--json", "--report", "report.html")
    reasons = {c["model"]: c["error"] for c in json.loads(done.stdout) if "error" in c}
    page = (tmp_path / "report.html").read_text()

    assert done.returncode == 1, done.stderr
    assert verdicts(done) == {
        "good-model": ["reproduced", "differs"],
        "good-second": ["reproduced"],
        "half-model": ["reproduced", "differs"],
        "half-second": ["not run"],
    }
    assert list(reasons) == ["half-second"]
    assert "RUN echo so sorry; exit 7" in reasons["half-second"]
    assert "3 reproduced (50.0%), 2 differ and are explained, 1 not run" in page
    assert "&lt;counted from one&gt;" in page
    assert f"{NAMESPACE}/good-second:1.0" in page


def test_where_all_is_as_expected_the_status_is_0(repro: Run, tmp_path: Path) -> None:
    done = repro("reproduce", "good", "--build", "--report", "report.json")
    again = repro("reproduce", "good", "half", "--model", "good-model")
    report = json.loads((tmp_path / "report.json").read_text())

    assert (done.returncode, again.returncode) == (0, 0), done.stderr
    assert "3 claims: 2 reproduced (66.7%), 1 differ and are explained" in done.stdout
    assert report["summary"]["explained"] == 1
    assert {one.partition(":")[0] for one in report["images"]} == {
        f"{NAMESPACE}/good",
        f"{NAMESPACE}/good-second",
    }


def test_a_card_that_is_not_right_is_told_and_the_others_are_measured(
    repro: Run, checkout: Path, unfinished: None
) -> None:
    card = checkout / "models" / "awry" / "model.toml"
    card.parent.mkdir()
    card.write_text("title = 1\n")
    try:
        done = repro("reproduce", "--all", "--model", "good-model", "--build", "--json")
        right = repro("setup", "good")
    finally:
        shutil.rmtree(card.parent)

    assert right.returncode == 0
    assert done.returncode == 2
    assert "awry/model.toml: models: is empty" in done.stderr
    assert verdicts(done) == {"good-model": ["reproduced", "differs"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name packages, or give --all"),
        (("good", "--all"), "name packages, or give --all"),
        (("good", "--report", "report.pdf"), "a report ends in .html or .md or .json"),
        (("good", "--build", "--image", "x"), "another image than the package's is not built"),
    ],
)
def test_a_command_line_that_is_not_right_is_told(
    repro: Run, words: tuple[str, ...], said: str
) -> None:
    done = repro("reproduce", *words)

    assert done.returncode == 2
    assert said in done.stderr


def test_without_an_engine_nothing_is_measured(repro: Run) -> None:
    done = repro("reproduce", "--all", DOCKER_HOST="unix:///nowhere/docker.sock")

    assert done.returncode == 3
    assert "no container engine" in done.stderr
    assert done.stdout == ""
