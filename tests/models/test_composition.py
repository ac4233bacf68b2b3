"""The chains of docs/composition.md, as they stand there, by pipes and in Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog import find_model, find_package

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.catalog import Card

    Ready = Callable[[Card], Card]

DOCS = Path(__file__).resolve().parents[2] / "docs"
METRICS = ("denkowski2014-meteor", "lin2004-rouge", "papineni2002-bleu")


def block(language: str, number: int = 0) -> str:
    """Take a block of code out of the page."""
    text = (DOCS / "composition.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[number]


@pytest.fixture
def folder(tmp_path: Path, ready: Ready) -> Path:
    """The texts, and the images."""
    for package in (block("shell") + block("shell", 1)).replace("repro setup", "").split():
        ready(find_package(package))
    for file in (DOCS / "composition").iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


def in_a_shell(folder: Path, number: int = 0) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{block('bash', number)}"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def printed(text: str) -> list[Any]:
    """Read the values over all rows."""
    found = re.findall(r"^over all rows: (.*)$", text, re.MULTILINE)
    return [json.loads(value) for value in found]


def test_the_shell_and_python_give_what_the_page_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = in_a_shell(folder)
    monkeypatch.chdir(folder)
    inside: dict[str, Any] = {}
    exec(compile(block("python"), "composition.md", "exec"), inside)

    assert done.returncode == 0, done.stderr
    assert printed(done.stderr) == printed(block("text")) == list(inside["values"].values())
    assert tuple(inside["values"]) == METRICS
    assert (folder / "translated.txt").read_text().splitlines() == inside["translated"]
    assert block("text", 1).splitlines() == inside["translated"]


def test_every_sentence_reaches_every_metric(folder: Path) -> None:
    done = in_a_shell(folder)

    assert done.returncode == 0, done.stderr
    assert len((folder / "reference.txt").read_text().splitlines()) == 9
    for model in METRICS:
        rows = (folder / f"{model}.jsonl").read_text().splitlines()
        assert [json.loads(row)["instance_id"] for row in rows] == [str(i) for i in range(9)]


def test_the_models_of_the_chain_are_of_four_runtimes() -> None:
    runtimes = {
        "sadvilkar2020-pysbd": "from ${base}",  # which is Python
        "forcada2011-apertium": "apertium=",
        "denkowski2014-meteor": "jre",
        "lin2004-rouge": "perl=",
    }
    for model, installed in runtimes.items():
        assert model in block("bash")
        card, _ = find_model(model)
        assert installed in (card.folder / "Dockerfile").read_text(encoding="utf-8").lower()


def test_what_is_said_is_what_the_page_says_was_heard(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = in_a_shell(folder, 1)
    monkeypatch.chdir(folder)
    inside: dict[str, Any] = {}
    exec(compile(block("python", 1), "composition.md", "exec"), inside)

    assert done.returncode == 0, done.stderr
    assert done.stdout == block("text", 2)
    said = [f"{one['spoken']:46} " for one in inside["speech"]]
    lines = zip(said, inside["heard"], strict=True)
    assert block("text", 2).splitlines() == [one + other for one, other in lines]
    assert sorted(path.name for path in (folder / "spoken.jsonl.files").glob("[!.]*")) == [
        f"{number}-audio.wav" for number in range(6)
    ]
