"""The workflows' shell, every step of it: run in a scratch clone, against a registry that is here.

What others wrote (`uses:`) is not run, but files go from job to job as they do there, and `gh` is a
program that writes down what it was asked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from repro.catalog.lockfile import read_lock

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
RECORD = '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >>"$ASKED"\necho >>"$ASKED"\n'
GH = f'{RECORD}case "$1 $2" in "issue list") printf %s "$OPEN_ISSUE";; esac\n'


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment, as a runner has one: pip, and what repro needs, but not repro."""
    folder = tmp_path_factory.mktemp("runner") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    packages = Path(sysconfig.get_path("purelib"))
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "lib" / name / "site-packages" / "ours.pth").write_text(f"{packages}\n")
    return folder


class Runner:
    """Runs the jobs of workflows in clones of a repository.

    `values` has what GitHub would put in the place of an expression; those of a matrix, of steps
    and of jobs are found out.
    """

    def __init__(self, folder: Path, environment: Path, values: Mapping[str, str]) -> None:
        self.folder, self.values = folder, dict(values)
        self.origin, self.artifacts = folder / "origin", folder / "artifacts"
        self.asked = folder / "asked"
        self.asked.touch()
        self.open_issue = ""
        self._bin = folder / "bin"
        self._bin.mkdir()
        (self._bin / "gh").write_text(GH)
        (self._bin / "gh").chmod(0o755)
        self._path = f"{self._bin}:{environment / 'bin'}:{os.environ['PATH']}"
        self.used: list[str] = []
        self._clones = 0

    def job(self, workflow: str, name: str, **matrix: str) -> dict[str, str]:
        """Run a job; return its outputs, and `failed` with the output of the step that did."""
        job = yaml.safe_load((self.origin / ".github/workflows" / workflow).read_text())["jobs"][
            name
        ]
        known = {**self.values, **{f"matrix.{key}": value for key, value in matrix.items()}}
        self._clones += 1
        clone = self.folder / f"clone-{self._clones}"
        subprocess.run(["git", "clone", "--quiet", str(self.origin), str(clone)], check=True)
        failed = ""
        for step in job["steps"]:
            if ("failure()" in step.get("if", "")) == bool(failed):
                failed = self._step(step, clone, known) or failed
        told = {key: self._filled(v, known) for key, v in job.get("outputs", {}).items()}
        self.values |= {f"needs.{name}.outputs.{key}": value for key, value in told.items()}
        return {**told, "failed": failed, "clone": str(clone)}

    def _step(self, step: dict[str, Any], clone: Path, known: dict[str, str]) -> str:
        given = {k: self._filled(str(v), known) for k, v in step.get("with", {}).items()}
        action = step.get("uses", "").split(" ")[0]
        self.used.append(action)
        if action.startswith("./"):
            inner = yaml.safe_load((clone / action / "action.yml").read_text())
            inputs = {f"inputs.{key}": value for key, value in given.items()}
            return "".join(
                self._step(one, clone, {**known, **inputs}) for one in inner["runs"]["steps"]
            )
        if action.startswith("actions/upload-artifact@"):
            base = given["path"].partition("*")[0].rstrip("/")
            for file in clone.glob(given["path"].rstrip("/") + ("/*" if base == "dist" else "")):
                target = self.artifacts / given["name"] / file.relative_to(clone / base)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
        if action.startswith("actions/download-artifact@"):
            for one in self.artifacts.glob(given.get("pattern", given.get("name", ""))):
                target = clone / given["path"] / (one.name if "pattern" in given else "")
                shutil.copytree(one, target, dirs_exist_ok=True)
        return self._run(step, clone, known) if "run" in step else ""

    def _run(self, step: dict[str, Any], clone: Path, known: dict[str, str]) -> str:
        output = self.folder / "output"
        output.write_text("")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
        environment = {
            **kept,
            **{key: self._filled(str(value), known) for key, value in step.get("env", {}).items()},
            "PATH": self._path,
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REPOSITORY": "Lab/models",
            "GITHUB_REPOSITORY_OWNER": self.values["github.repository_owner"],
            "REPRO_CONFIG": str(self.folder / "config.toml"),
            "ASKED": str(self.asked),
            "OPEN_ISSUE": self.open_issue,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            known[f"steps.{step['id']}.outputs.{key}"] = value
        return f"{step.get('name')}: {done.stdout}{done.stderr}" if done.returncode else ""

    @staticmethod
    def _filled(text: str, known: Mapping[str, str]) -> str:
        return EXPRESSION.sub(lambda found: known[found[1]], text)

    def questions(self) -> list[list[str]]:
        """List what `gh` was asked."""
        return [one.splitlines() for one in self.asked.read_text().split("\n\n") if one]


@pytest.fixture
def runner(checkout, registries, environment, tmp_path, engine) -> Runner:
    """A repository on `main` with two packages, and one that is not published."""
    if engine.podman:
        pytest.skip("podman wants https of a registry, here too: 'HTTP response to HTTPS client'")
    for package in ("small2020", "small2021"):
        checkout.add(package)
    checkout.add("hidden2020", publish=False)
    origin = tmp_path / "origin"
    shutil.copytree(checkout.folder, origin)
    shutil.rmtree(origin / "models" / "tutorial")
    shutil.copytree(ROOT / ".github", origin / ".github")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, origin)
    (origin / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "changed-packages", origin / "scripts")
    for name in ("setup", "check", "test"):  # what they do is what these tests are part of
        (origin / "scripts" / name).write_text(f'#!/bin/sh\nset -- scripts/{name} "$@"\n{RECORD}')
        (origin / "scripts" / name).chmod(0o755)
    git(origin, "init", "--quiet", "--initial-branch", "main")
    commit(origin)
    github, hub = registries().address, registries().address
    both = "vars.DOCKERHUB_USERNAME && format('{0}/{1}', env.DOCKER_HUB, vars.DOCKERHUB_USERNAME)"
    values = {
        "env.GITHUB_IMAGES": github,
        "env.DOCKER_HUB": hub,
        both: f"{hub}/ada",
        "vars.DOCKERHUB_USERNAME": "ada",
        "github.repository_owner": "Lab",
        "secrets.DOCKERHUB_TOKEN": "",
        "secrets.GITHUB_TOKEN": "",
        "github.actor": "ada",
        "github.base_ref": "main",
        "github.token": "",
        "github.run_id": "77",
        "github.server_url": "https://github.com",
        "github.repository": "Lab/models",
        "github.event.release.tag_name": "v0.1.0",
        "inputs.packages": "",
    }
    made = Runner(tmp_path, environment, values)
    (tmp_path / "config.toml").write_text(f'namespace = "{checkout.namespace}"\n')
    return made


def git(folder: Path, *words: str) -> str:
    names = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    done = subprocess.run(
        ["git", *names, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Change")


def test_main_publishes_what_is_new_once_and_proposes_the_digests(runner):
    workflow = "publish-docker-images.yml"
    broken = runner.origin / "models" / "small2021" / "examples.jsonl"
    right = broken.read_text()
    broken.write_text(right.replace("seen", "other"))
    commit(runner.origin)

    planned = runner.job(workflow, "plan")
    done = [runner.job(workflow, "publish", package=p) for p in json.loads(planned["packages"])]
    recorded = runner.job(workflow, "record")
    again = runner.job(workflow, "plan")
    first = runner.origin / "models" / "small2020"
    (first / "src" / "more.txt").write_text("more")
    commit(runner.origin)
    changed = runner.job(workflow, "plan")

    assert planned["failed"] == recorded["failed"] == again["failed"] == ""
    assert json.loads(planned["packages"]) == ["small2020", "small2021"]
    assert [bool(one["failed"]) for one in done] == [False, True]
    assert "full.examples: error: " in done[1]["failed"]
    git(runner.origin, "switch", "--quiet", "image-locks-77")
    published = read_lock(first).images[0].published
    assert {place.partition("/")[0] for place in published} == {
        runner.values["env.GITHUB_IMAGES"],
        runner.values["env.DOCKER_HUB"],
    }
    assert {place.partition("/")[2] for place in published} == {"lab/small2020", "ada/small2020"}
    asked = [["auth", "setup-git"], ["pr", "create", "--head", "image-locks-77", "--fill"]]
    assert runner.questions() == asked
    assert json.loads(again["packages"]) == ["small2021"]
    assert "write a new version into model.toml" in changed["failed"]
    assert json.loads(changed["packages"]) == ["small2021"]  # which is no less to be published


def test_a_pull_request_is_checked_and_its_packages_tested(runner):
    git(runner.origin, "switch", "--quiet", "--create", "change")
    (runner.origin / "models" / "small2021" / "src" / "more.txt").write_text("more")
    commit(runner.origin)

    checked = runner.job("ci.yml", "check", python="3.12")
    tested = runner.job("ci.yml", "engine")
    changes = runner.job("ci.yml", "changes")
    done = [runner.job("ci.yml", "packages", package=p) for p in json.loads(changes["packages"])]

    assert [one["failed"] for one in (checked, tested, changes, *done)] == [""] * 4
    calls = [["scripts/setup"], ["scripts/check"], ["scripts/test", "-q", "tests/engine"]]
    assert runner.questions() == calls
    assert json.loads(changes["packages"]) == ["small2021"]


def test_a_model_that_answers_otherwise_is_told_in_an_issue_once(runner):
    examples = runner.origin / "models" / "small2021" / "examples.jsonl"
    examples.write_text(examples.read_text().replace("seen", "other"))
    commit(runner.origin)
    weekly = runner.job("model-tests.yml", "select")
    runner.values["inputs.packages"] = " small2020  small2021 "
    asked_for = runner.job("model-tests.yml", "select")

    right = runner.job("model-tests.yml", "test", package="small2020")
    wrong = runner.job("model-tests.yml", "test", package="small2021")
    runner.open_issue = "12"
    runner.job("model-tests.yml", "test", package="small2021")

    assert len(json.loads(weekly["packages"])) in {0, 1}  # of three, a quarter
    assert json.loads(asked_for["packages"]) == ["small2020", "small2021"]
    assert right["failed"] == ""
    assert wrong["failed"]
    searched, created, again, commented = runner.questions()
    assert searched[:2] == again[:2] == ["issue", "list"]
    assert created[:2] == ["issue", "create"]
    assert "small2021 no longer passes its checks" in created
    assert commented[:3] == ["issue", "comment", "12"]
    report = (Path(wrong["clone"]) / "issue.md").read_text()
    assert "https://github.com/Lab/models/actions/runs/77" in report
    assert "`repro check small2021 --build` makes the same checks" in report
    told = 'full.examples: error: small2021-model, .*: "other" is said, "seen" answered'
    assert re.search(told, report)


def test_a_release_is_built_tried_and_compared_with_its_version(runner):
    built = runner.job("publish-package.yml", "build")
    published = runner.job("publish-package.yml", "publish")
    runner.values["github.event.release.tag_name"] = "v9"
    wrong = runner.job("publish-package.yml", "build")

    assert built["failed"] == ""
    names = {file.suffix for file in (Path(published["clone"]) / "dist").iterdir()}
    assert names == {".whl", ".gz"}
    assert any(one.startswith("pypa/gh-action-pypi-publish@") for one in runner.used)
    assert "the release is v9, and pyproject.toml has the version 0.1.0" in wrong["failed"]
