"""What GitHub runs for us: workflows that can be read, pinned, with few rights, and their shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, *sorted((ROOT / ".github" / "actions").glob("*/action.yml"))]


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def steps(path: Path) -> Iterator[dict[str, Any]]:
    about = read(path)
    for job in about.get("jobs", {}).values():
        yield from job["steps"]
    yield from about.get("runs", {}).get("steps", ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.stem)
def test_what_others_wrote_is_pinned_to_a_commit_and_its_version_told(path):
    for line in path.read_text().splitlines():
        if "uses:" in line and "uses: ./" not in line:
            assert re.search(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_rights_but_those_a_job_asks_for(path):
    about = read(path)

    assert about["permissions"] == {}
    assert about["concurrency"]
    assert about["defaults"]["run"]["shell"] == "bash"
    for job in about["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"]
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.stem)
def test_shell_is_shell_and_gets_values_through_variables_alone(path):
    for step in steps(path):
        if "run" in step:
            assert "${{" not in step["run"]
            done = subprocess.run(
                ["bash", "-n"], input=step["run"], text=True, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr


def test_the_action_that_publishes_only_calls_the_command_line():
    about = read(ROOT / ".github" / "actions" / "publish-docker-images" / "action.yml")

    (step,) = about["runs"]["steps"]
    assert step["run"] == 'repro publish "$PACKAGE" --registry "$REGISTRY"'


def test_the_job_that_publishes_installs_what_its_checks_need():
    jobs = read(ROOT / ".github" / "workflows" / "publish-docker-images.yml")["jobs"]
    (install,) = (one["run"] for one in jobs["publish"]["steps"] if one.get("name") == "Install")

    assert install.endswith("'.[check,reproduce]'")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with two packages, and a branch to compare with."""
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "changed-packages"
    script.write_bytes((ROOT / "scripts" / "changed-packages").read_bytes())
    script.chmod(0o755)
    for package in ("first2020", "second2020"):
        (tmp_path / "models" / package).mkdir(parents=True)
        (tmp_path / "models" / package / "model.toml").touch()
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path)
    git(tmp_path, "switch", "--quiet", "--create", "change")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    names = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    subprocess.run(["git", *names, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Change")


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("models/first2020/src/run.py", ["first2020"]),
        ("repro/models/second2020/model.py", ["second2020"]),
        ("repro/runtime/repro_runtime.py", ["first2020", "second2020"]),
        ("Dockerfile.base", ["first2020", "second2020"]),
        ("models/Template.md", []),
        ("repro/models/model.py", []),
        ("models/gone2020/Readme.md", []),
        ("README.md", []),
    ],
)
def test_the_packages_that_a_change_touches_are_found(clone, file, changed):
    (clone / file).parent.mkdir(parents=True, exist_ok=True)
    (clone / file).write_text("changed")
    commit(clone)

    done = subprocess.run(
        ["scripts/changed-packages", "main"], cwd=clone, check=True, capture_output=True, text=True
    )

    assert json.loads(done.stdout) == changed
