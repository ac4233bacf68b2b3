"""Files written exactly as the tutorial "Adding a Model" says work, in any package.

They lie in tests/fixtures/tutorial as the tutorial prints them, and are laid over a copy of the
checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.common import docker as legacy
from repro.engine import image as images
from repro.engine.spec import ContainerSpec
from repro.errors import ContainerError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.client import Engine

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "tutorial"
PYTHON = "python:3.7"


@pytest.fixture
def parent(engine: Engine, bookworm: str) -> Iterator[str]:
    """The parent image that the tutorial's Dockerfile names: no registry is asked in a test."""
    there = images.find(engine, PYTHON) is not None
    if not there:
        images.tag(engine, bookworm, PYTHON)
    yield PYTHON
    if not there:
        images.remove(engine, PYTHON)


@pytest.fixture(params=["tutorial", "author2021"])
def package(request: pytest.FixtureRequest, tmp_path: Path, engine: Engine) -> Iterator[str]:
    """A copy of the checkout with a package as in the tutorial: in place of ours, or a new one."""
    name = request.param
    for folder in ("repro", "models"):
        ignored = shutil.ignore_patterns("__pycache__", "tutorial")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "Dockerfile.base", tmp_path)
    for file in FIXTURE.rglob("*.*"):
        if file.is_file() and "__pycache__" not in file.parts:
            inside = str(file.relative_to(FIXTURE)).replace("tutorial", name)
            target = tmp_path / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text().replace("repro.models.tutorial", f"repro.models.{name}")
            target.write_text(text)
    shutil.copy(FIXTURE / "models/tutorial/Dockerfile", tmp_path / f"models/{name}/Dockerfile")
    yield name
    images.remove(engine, f"danieldeutsch/{name}:1.0")


def test_the_files_of_the_tutorial_work_unchanged(
    parent: str, package: str, tmp_path: Path
) -> None:
    """Set-up, the unit test, and a prediction from Python and from the shell."""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-m", "repro", "setup", package)
    run("-m", "pytest", "-q", f"models/{package}/tests", "-p", "no:cacheprovider", "-c", os.devnull)
    said = run("-m", "repro", "predict", "--model", f"{package}-model", "-i", "text=abc")
    code = (
        f"from repro.models.{package} import TutorialModel; print(TutorialModel().predict('abc'))"
    )

    assert said == '"cba"\n'
    assert run("-c", code) == "cba\n"


def test_a_non_zero_exit_raises_and_leaves_nothing(engine: Engine, bookworm: str) -> None:
    """The one difference from the ancestor that a wrapper sees."""
    from repro.common.docker import DockerContainer
    from repro.errors import ContainerError

    with (
        pytest.raises(ContainerError, match="status 3") as caught,
        DockerContainer(bookworm) as backend,
    ):
        backend.run_command(command=f"echo said; touch {backend.container_dir}/file; exit 3")

    assert caught.value.lines == ("said",)
    assert not Path(backend.host_dir).exists()


def test_what_a_command_prints_is_returned_whole(engine: Engine, bookworm: str) -> None:
    """More than any frame of the engine's stream, and not only ASCII."""
    from repro.common.docker import run_command

    said = run_command(bookworm, "python3 -c \"print('é' * 40000)\"; echo err >&2", stderr=False)

    assert said == "é" * 40000 + "\n"


def test_the_model_error_is_not_hidden_by_files_of_another_user(
    engine: Engine, bookworm: str
) -> None:
    """A directory that only the user inside could enter is handed back."""
    from repro.common.docker import DockerContainer

    with DockerContainer(bookworm) as backend:
        inside = backend.container_dir
        backend.run_command(
            command=f"mkdir {inside}/d && chmod 700 {inside}/d && echo x > {inside}/d/f "
            f"&& chown -R 12345 {inside}/d",
            network_disabled=True,
        )

        assert (Path(backend.host_dir) / "d" / "f").read_text() == "x\n"
        assert (Path(backend.host_dir) / "d").stat().st_uid == os.getuid()


def test_what_a_command_prints_is_bounded(bookworm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy, "MAX_PRINTED", 10_000)

    with pytest.raises(OutputError, match="it printed more than 10,000 bytes"):
        legacy.run_command(bookworm, "cat /dev/zero")
    assert len(legacy.run_command(bookworm, "head -c 10000 /dev/zero")) == 10_000


def test_what_a_command_writes_is_bounded(bookworm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        legacy, "ContainerSpec", partial(ContainerSpec, max_output=2**30, timeout=30)
    )
    before = shutil.disk_usage(tempfile.gettempdir()).free

    with legacy.DockerContainer(bookworm) as backend:
        files = f"{backend.container_dir}/$i"
        command = f"for i in 1 2 3 4; do fallocate -l 1073741823 {files}; done; sleep 60"
        with pytest.raises(OutputError, match=r"the free space at .* fell by more than"):
            backend.run_command(command=command)
    assert before - shutil.disk_usage(tempfile.gettempdir()).free < 2**30


def test_silence_is_silence(
    bookworm: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {bookworm}\nRUN echo built\n")
    caplog.set_level("DEBUG", "repro")

    legacy.build_image(str(tmp_path), "repro-test/silent:1", silent=True)
    legacy.run_command("repro-test/silent:1", "echo said; echo so >&2", silent=True)
    legacy.remove_image("repro-test/silent:1")

    told = [one.getMessage() for one in caplog.records]
    assert not [text for text in told if "said" in text or "built" in text or "running" in text]
    assert not [one for one in caplog.records if one.levelname == "INFO"]


def test_a_foreign_context_keeps_all_its_files(bookworm: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {bookworm}\nCOPY . /app\n")
    (tmp_path / "Readme.md").write_text("read")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "file").write_text("tested")

    legacy.build_image(str(tmp_path), "repro-test/foreign:1")
    said = legacy.run_command("repro-test/foreign:1", "cat /app/Readme.md /app/tests/file")
    legacy.remove_image("repro-test/foreign:1")

    assert said == "readtested"


def test_handing_back_never_hides_the_error_of_the_model(
    bookworm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_directory: str) -> list[str]:
        raise PermissionError("no")

    monkeypatch.setattr(legacy, "_all_paths", refuse)

    with pytest.raises(ContainerError, match="status 3"), legacy.DockerContainer(bookworm) as one:
        one.run_command(command="exit 3")


KILLED = """
import os, signal, sys
from repro.common.docker import DockerContainer
with DockerContainer("any") as backend:
    open(backend.host_dir + "/file", "w").close()
    print(backend.host_dir, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_directory_of_a_killed_process_is_found(engine: Engine, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    left = Path(done.stdout.strip())
    was_there = (left / "file").exists()
    sweep = "from repro.engine import client, leftovers; leftovers.sweep(client.connect())"
    subprocess.run([sys.executable, "-c", sweep], env=environment, cwd=ROOT, check=True)

    assert was_there
    assert left.is_relative_to(tmp_path)
    assert not left.exists()
