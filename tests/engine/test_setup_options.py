"""Set-up of many packages, pulling, cleaning, completion: the options of a whole machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.engine import image as images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.client import Engine

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "unix:///nowhere/docker.sock"
NAMESPACE = "repro-test-setup"

CARD = """
version = "1.0"
title   = "Sample"
summary = "A package of the tests"
license = "Apache-2.0"
upstream = "sample 1.0"
publish = false

[models.{package}-model]
class = "Sample"
task  = "text-transformation"
{more}
"""

CODE = """
from repro.models import DockerModel, Model

@Model.register("{package}-model")
class Sample(DockerModel):
    def predict(self, text: str) -> str:
        return self.answer(text=text)
"""

RUN = """
from repro_runtime import main

main(lambda: None, lambda model, instances: [open("/word").read() for _ in instances])
"""

FAILURE = r"failed at step [34]/\d: RUN echo so sorry; exit 7: it ended with status 7"
DOCKERFILES = {
    "good": 'ARG BASE\nFROM ${BASE}\nARG WORD\nRUN printf %s "$WORD" > /word\nCOPY src /app\n'
    "WORKDIR /app\n",
    "bad": "ARG BASE\nFROM ${BASE}\nRUN echo first\nRUN echo so sorry; exit 7\n",
}

Done = subprocess.CompletedProcess[str]
Run = "Callable[..., Done]"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Path]:
    """A copy of the library with the packages `good` (with a build argument) and `bad`."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(
        ROOT / "repro", folder / "repro", ignore=shutil.ignore_patterns("__pycache__", "*20??")
    )
    shutil.copytree(ROOT / "models" / "tutorial", folder / "models" / "tutorial")
    shutil.copy(ROOT / "Dockerfile.base", folder)
    for package, dockerfile in DOCKERFILES.items():
        more = '[build.args]\nWORD = "first"' if package == "good" else ""
        context, code = folder / "models" / package, folder / "repro" / "models" / package
        (context / "src").mkdir(parents=True)
        (context / "model.toml").write_text(CARD.format(package=package, more=more))
        (context / "Dockerfile").write_text(dockerfile)
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
    """Run the command line, with a folder of its own for temporary files."""

    def run(*words: str, **environment: str) -> Done:
        settings = {"PYTHONPATH": str(checkout), "REPRO_CONFIG": str(checkout / "config.toml")}
        (tmp_path / "tmp").mkdir(exist_ok=True)
        settings["TMPDIR"] = str(tmp_path / "tmp")
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
def unfinished(engine: Engine) -> Iterator[str]:
    """Name the layers that the failing build of `bad` leaves; they are gone afterwards."""
    name = images.unfinished(f"{NAMESPACE}/bad:1.0")
    yield name
    images.remove(engine, name, force=True)


def test_one_package_that_fails_stops_no_other(repro: Run, unfinished: str) -> None:
    done = repro("setup", "--all", "--jobs", "2", "--json")
    results = {result["package"]: result for result in json.loads(done.stdout)}

    assert done.returncode == 3
    assert {name: result["action"] for name, result in results.items()} == {
        "bad": "failed",
        "good": "built",
        "tutorial": "built",
    }
    assert re.search(FAILURE, results["bad"]["error"])
    assert "bad: building" in done.stderr
    assert "Traceback" not in done.stderr
    assert repro("predict", "--model", "good-model", "-i", "text=a").stdout == '"first"\n'


def test_the_lines_of_builds_at_once_are_told_apart(repro: Run, unfinished: str) -> None:
    done = repro("setup", "good", "bad", "--jobs", "2", "--build")
    lines = done.stderr.splitlines()

    assert done.returncode == 3
    assert [line for line in lines if line.startswith("bad: ")]
    assert [line for line in lines if line.startswith("good: ")]
    assert "failed" in done.stdout


def test_a_package_that_fails_alone_is_told(repro: Run, unfinished: str) -> None:
    done = repro("setup", "bad")

    assert done.returncode == 3
    assert re.search(FAILURE, done.stderr)
    assert "    so sorry" in done.stderr
    assert done.stdout == ""


@pytest.fixture
def crooked(checkout: Path) -> Iterator[None]:
    """Two packages: `gone` has no Dockerfile, `half` a second image that cannot be built."""
    folders = [checkout / "models" / package for package in ("gone", "half")]
    for folder, more in zip(folders, ("", '[images.second]\ndockerfile = "Other"'), strict=True):
        folder.mkdir()
        (folder / "model.toml").write_text(CARD.format(package=folder.name, more=more))
    (folders[1] / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    yield
    for folder in folders:
        shutil.rmtree(folder)


@pytest.mark.usefixtures("crooked")
def test_a_package_that_cannot_even_be_begun_stops_no_other(repro: Run, unfinished: str) -> None:
    done = repro("setup", "--all", "--json")
    results = {result["image"]: result for result in json.loads(done.stdout)}

    assert done.returncode == 3
    assert {
        name: r["action"] for name, r in results.items() if r["package"] in {"gone", "half"}
    } == {
        "gone": "failed",
        f"{NAMESPACE}/half:1.0": "built",
        "half-second": "failed",
    }
    assert "Dockerfile: No such file" in results["gone"]["error"]
    assert f"{NAMESPACE}/good:1.0" in results


def test_a_base_that_cannot_be_had_fails_those_that_need_it_alone(
    repro: Run, unfinished: str
) -> None:
    repro("setup", "good", "tutorial")

    done = repro("setup", "--all", "--json", REPRO_CA_BUNDLE="/nowhere/bundle.pem")
    results = {result["package"]: result for result in json.loads(done.stdout)}

    assert done.returncode == 3
    assert {name: result["action"] for name, result in results.items()} == {
        "bad": "failed",
        "good": "present",
        "tutorial": "present",
    }
    assert "/nowhere/bundle.pem" in results["bad"]["error"]


@pytest.fixture
def broken(checkout: Path) -> Iterator[str]:
    """A package whose card is not right."""
    card = checkout / "models" / "awry" / "model.toml"
    card.parent.mkdir()
    card.write_text("title = 1\n")
    yield "awry/model.toml: models: is empty"
    shutil.rmtree(card.parent)


def test_a_card_that_is_not_right_stops_no_command_about_another_package(
    repro: Run, broken: str
) -> None:
    built = repro("setup", "good")
    answer = repro("predict", "--model", "good-model", "-i", "text=a")
    about = [repro("info", name, DOCKER_HOST=NOWHERE) for name in ("good", "good-model")]
    wrong = [
        repro(*words, DOCKER_HOST=NOWHERE)
        for words in (("info", "awry"), ("setup", "awry"), ("predict", "--model", "awry-model"))
    ]

    assert [built.returncode, answer.returncode] == [0, 0], built.stderr + answer.stderr
    assert [done.returncode for done in about] == [0, 0]
    assert [done.returncode for done in wrong] == [2, 2, 2]
    assert all(broken in done.stderr for done in wrong)


@pytest.mark.parametrize("words", [[], ["list"], ["list", "sample"], ["list", "--json"]])
def test_a_list_shows_the_others_and_says_which_card_is_not_right(
    words: list[str], repro: Run, broken: str
) -> None:
    done = repro(*words, DOCKER_HOST=NOWHERE)

    assert done.returncode == 2
    assert "good-model" in done.stdout
    assert "awry" not in done.stdout
    assert done.stderr.startswith(f"repro: {broken}")
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("broken")
def test_names_are_completed_beside_a_card_that_is_not_right(repro: Run) -> None:
    settings = {"_REPRO_COMPLETE": "bash_complete", "COMP_WORDS": "repro info ", "COMP_CWORD": "2"}

    done = repro(**settings, DOCKER_HOST=NOWHERE)

    found = {line.partition(",")[2] for line in done.stdout.splitlines()}
    assert {"awry", "good", "good-model"} <= found
    assert done.stderr == ""


def test_a_card_that_is_not_right_is_a_failure_of_its_own_in_a_set_up_of_all(
    repro: Run, broken: str, unfinished: str
) -> None:
    done = repro("setup", "--all", "--json")
    results = {result["package"]: result for result in json.loads(done.stdout)}

    assert done.returncode == 3
    assert results["awry"]["action"] == "failed"
    assert results["awry"]["error"].startswith(broken)
    assert results["good"]["action"] in {"built", "rebuilt", "present"}


def test_another_value_of_a_build_argument_is_kept(repro: Run) -> None:
    repro("setup", "good")

    other = repro("setup", "good", "--build-arg", "WORD=two words", "--json")
    again = repro("setup", "good", "--build-arg", "WORD=two words", "--json")
    answer = repro("predict", "--model", "good-model", "-i", "text=a")
    plain = repro("setup", "good", "--json")

    assert json.loads(other.stdout)[0]["action"] == "rebuilt"
    assert json.loads(again.stdout)[0]["action"] == "present"
    assert (answer.returncode, answer.stdout) == (0, '"two words"\n')
    assert json.loads(plain.stdout)[0]["action"] == "present"


def test_a_build_argument_that_the_card_has_not_is_told(repro: Run) -> None:
    unknown = repro("setup", "good", "--build-arg", "WORDS=a")
    malformed = repro("setup", "good", "--build-arg", "WORD")

    assert unknown.returncode == malformed.returncode == 2
    assert "no build argument 'WORDS'; did you mean 'WORD'?" in unknown.stderr
    assert "--build-arg wants NAME=VALUE" in malformed.stderr


def test_the_base_of_a_suite_is_there_afterwards(repro: Run, bookworm: str) -> None:
    done = repro("setup", "--base", "bookworm")
    unknown = repro("setup", "--base", "woody")

    assert done.returncode == 0, done.stderr
    assert f"bookworm: {bookworm}" in done.stderr
    assert unknown.returncode == 2
    assert "bookworm" in unknown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["setup"], "name packages, or give --all or --base"),
        (["setup", "god"], "did you mean 'good'"),
        (["setup", "good", "--jobs", "0"], "--jobs"),
        (["setup", "good", "--al"], "--al"),
        (["setup", "good", "--all"], "not both"),
        (["pull"], "PACKAGES"),
        (["pull", "god"], "did you mean 'good'"),
        (["completion", "tcsh"], "bash"),
        (["clean", "--image"], "--image"),
    ],
)
def test_a_command_line_that_is_not_right_is_told(repro: Run, words: list[str], said: str) -> None:
    done = repro(*words, DOCKER_HOST=NOWHERE)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_package_that_has_neither_card_nor_image_is_told(repro: Run, checkout: Path) -> None:
    (checkout / "repro" / "models" / "bare").mkdir()
    (checkout / "repro" / "models" / "bare" / "__init__.py").touch()

    pulled = repro("pull", "bare")
    set_up = repro("setup", "bare")

    for done, lacks in ((pulled, "DEFAULT_IMAGE"), (set_up, "SetupSubcommand")):
        assert done.returncode == 2
        assert f"bare has no model.toml, and repro.models.bare no {lacks}" in done.stderr
        assert "Traceback" not in done.stderr


def test_an_image_that_no_registry_has_can_be_built(repro: Run) -> None:
    done = repro("pull", "good")

    assert done.returncode == 3
    assert f"{NAMESPACE}/good:1.0" in done.stderr
    assert "`repro setup good` builds it" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_image_is_pulled_from_the_registry_of_the_namespace(
    repro: Run, engine: Engine, tmp_path: Path, registry: str
) -> None:
    if engine.podman:
        pytest.skip("podman wants https of a registry, here too: 'HTTP response to HTTPS client'")
    (tmp_path / "config.toml").write_text(f'namespace = "{registry}/tests"\n')
    config = {"REPRO_CONFIG": str(tmp_path / "config.toml")}
    name = f"{registry}/tests/good:1.0"
    try:
        before = repro("pull", "good", **config)
        assert repro("setup", "good", **config).returncode == 0
        push(engine, name)
        built = images.find(engine, name)
        images.remove(engine, name, force=True)
        done = repro("pull", "good", "--json", **config)
        pulled = images.find(engine, name)
        again = repro("pull", "good", **config)
        present = repro("setup", "good", "--json", **config)
        answer = repro("predict", "--model", "good-model", "-i", "text=a", **config)
    finally:
        images.remove(engine, name, force=True)

    assert before.returncode == 3
    assert f"the image {name} cannot be pulled" in before.stderr
    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    (pulled_as,) = json.loads(done.stdout)
    assert (pulled_as["image"], pulled_as["outcome"]) == (name, "pulled")
    assert pulled == built
    assert [result["action"] for result in json.loads(present.stdout)] == ["present"]
    assert answer.stdout == '"first"\n'


def push(engine: Engine, name: str) -> None:
    """Put an image into its registry."""
    for record in engine.api.push(name, stream=True, decode=True):
        assert "error" not in record, record


KILLED = """
import os, signal
from repro.engine.client import connect
from repro.engine.exchange import Exchange

with Exchange(connect()) as exchange:
    print(exchange.host if hasattr(exchange, "host") else "", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed(repro: Run, checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "TMPDIR": str(folder)},
        check=False,
    )
    (left,) = folder.glob("repro-*")

    looked = repro("clean", "--dry-run", TMPDIR=str(folder))
    still = left.exists()
    removed = repro("clean", "--json", TMPDIR=str(folder))

    assert killed.returncode == -signal.SIGKILL
    assert looked.returncode == removed.returncode == 0
    assert str(left) in looked.stdout
    assert still
    assert f"directory {left}" in json.loads(removed.stdout)
    assert not left.exists()


def test_the_layers_of_a_failed_build_are_removed(
    repro: Run, engine: Engine, unfinished: str
) -> None:
    repro("setup", "bad")

    looked = repro("clean", "--dry-run")
    still = images.find(engine, unfinished) is not None
    removed = repro("clean")

    assert f"image {unfinished}" in looked.stdout
    assert still
    assert f"image {unfinished}" in removed.stdout
    assert images.find(engine, unfinished) is None


def test_images_that_no_package_builds_any_more_would_be_removed_and_others_not(
    repro: Run, checkout: Path
) -> None:
    repro("setup", "good")
    card = checkout / "models" / "good" / "model.toml"
    before = card.read_text()

    current = repro("clean", "--images", "--dry-run")
    card.write_text(before.replace('"1.0"', '"1.1"'))
    outdated = repro("clean", "--images", "--dry-run")
    card.write_text(before)

    assert f"{NAMESPACE}/good:1.0" not in current.stdout
    assert f"image {NAMESPACE}/good:1.0" in outdated.stdout


@pytest.mark.parametrize("name", ["model.toml", "Dockerfile"])
def test_the_images_of_a_package_that_cannot_be_read_stay(
    repro: Run, checkout: Path, name: str
) -> None:
    repro("setup", "good")
    file = checkout / "models" / "good" / name
    aside = file.rename(checkout / "aside")
    file.mkdir()

    kept = repro("clean", "--images", "--dry-run")
    wrong = repro("setup", "good")
    file.rmdir()
    gone = repro("clean", "--images", "--dry-run") if name == "model.toml" else None
    aside.rename(file)

    assert kept.returncode == (2 if name == "model.toml" else 3), kept.stderr
    assert f"good/{name}: " in kept.stderr
    assert f"good/{name}: " in wrong.stderr
    assert wrong.returncode == kept.returncode
    assert kept.stdout
    assert f"{NAMESPACE}/good:1.0" not in kept.stdout
    assert gone is None or f"image {NAMESPACE}/good:1.0" in gone.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script(repro: Run, shell: str) -> None:
    done = repro("completion", shell, DOCKER_HOST=NOWHERE)

    assert done.returncode == 0, done.stderr
    assert f"_REPRO_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("repro predict --model go", ["good-model"]),
        ("repro predict --model-name tut", ["tutorial-model"]),
        ("repro setup tut", ["tutorial"]),
        ("repro setup good ba", ["bad"]),
        ("repro pull g", ["good"]),
        ("repro info tut", ["tutorial", "tutorial-model"]),
        ("repro list --task face-", ["face-detection", "face-recognition"]),
        ("repro test tut", ["tutorial"]),
        ("repro reproduce tut", ["tutorial"]),
        ("repro pre", ["predict"]),
        ("repro completion z", ["zsh"]),
    ],
)
def test_names_are_completed(repro: Run, words: str, expected: list[str]) -> None:
    settings = {"_REPRO_COMPLETE": "bash_complete", "COMP_WORDS": words}
    settings["COMP_CWORD"] = str(len(words.split()) - 1)

    done = repro(**settings, DOCKER_HOST=NOWHERE)

    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == expected
    assert done.stderr == ""


def test_alone_the_command_shows_commands_and_models(repro: Run) -> None:
    done = repro(DOCKER_HOST=NOWHERE)

    assert (done.returncode, done.stderr) == (0, "")
    for word in ("Usage: repro", "predict", "setup", "good-model", "tutorial-model"):
        assert word in done.stdout


def test_the_doctor_answers_as_json(repro: Run, engine: Engine) -> None:
    done = repro("doctor", "--json")
    nowhere = repro("doctor", "--json", DOCKER_HOST=NOWHERE)
    findings = json.loads(done.stdout)
    (wrong,) = [one for one in json.loads(nowhere.stdout) if one["state"] == "wrong"]

    assert {"engine", "registry", "GPU"} <= {finding["subject"] for finding in findings}
    assert all(set(one) == {"subject", "state", "detail", "remedy"} for one in findings)
    assert (done.returncode == 3) == any(one["state"] == "wrong" for one in findings)
    assert nowhere.returncode == 3
    assert "apt-get install docker.io" in wrong["remedy"]
