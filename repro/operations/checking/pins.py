"""What the commands of a build install and fetch, and whether it is the same thing every time."""

from __future__ import annotations

import fnmatch
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from repro.operations.checking.dockerfile import instructions
from repro.operations.checking.findings import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from repro.engine.recipe import Recipe

_PIN = re.compile(r"(?P<name>[\w.-]+)(\[[\w,\s-]*\])?\s*(===?\s*[^\s;*]+|@\s*\S+)")
_HASH = re.compile(r"--hash=|#sha(256|384|512)=")
_LOCAL = re.compile(r"(\.|/|\$)|.*\.(whl|deb|tar\.gz|zip)$")
_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")
_CHECKED = re.compile(r"\b(sha\d+sum|shasum|b2sum|md5sum|gpgv?|openssl)\b")

# What installs more than Debian's and Python's packages: its verbs, and the sign before a version.
_OTHERS = {
    "conda": ("install create", "="),
    "mamba": ("install create", "="),
    "micromamba": ("install create", "="),
    "npm": ("install i add", "@"),
    "gem": ("install", ":"),
    "cargo": ("install", "@"),
    "go": ("install", "@v"),
}
_VERSION = {"-v", "--version", "--rev"}  # where it is an option

_APT_TAKES_VALUE = {"-t", "-o", "-c", "--target-release", "--option", "--config-file"}
_PIP_TAKES_VALUE = {
    "-w",
    "--wheel-dir",
    *("-r", "--requirement", "-c", "--constraint", "-t", "--target", "-d", "--dest", "-f"),
    *("--find-links", "-i", "--index-url", "--extra-index-url", "--only-binary", "--no-binary"),
    *("--python-version", "--implementation", "--abi", "--platform", "--prefix", "--root", "--src"),
    *("--progress-bar", "--cache-dir", "--config-settings", "--trusted-host", "--proxy", "--cert"),
}
_OTHERS_TAKE_VALUE = {
    *("-c", "--channel", "-n", "--name", "-p", "--prefix", "-f", "--file", "--root", "--git"),
    *_VERSION,
}


def unpinned(recipe: Recipe, where: str, words: Sequence[str]) -> Iterator[Finding]:
    """Say what a command installs in whatever version there is on the day of the build."""
    while words and (words[0] in {"python", "python3", "-m", "sudo", "uv"} or "=" in words[0]):
        words = words[1:]
    program = Path(words[0]).name if words else ""
    if program in {"apt", "apt-get"} and {"install", "download"} & set(words):
        yield from _apt(where, words)
    if re.fullmatch(r"pip[\d.]*", program) and {"install", "download", "wheel"} & set(words):
        yield from _pip(recipe, where, words)
    if program in _OTHERS:
        yield from _other(where, program, words)


def unchecked(where: str, words: Sequence[str], step: str) -> Iterator[Finding]:
    """Say what a command of a step fetches that may be something else tomorrow."""
    program = Path(words[0]).name
    if program in {"wget", "curl", "gdown"} and not _CHECKED.search(step):
        yield warning(f"{where}: what {program} fetches is not checked", FETCH)
    if program == "git" and "clone" in words and not _COMMIT.search(step):
        yield warning(f"{where}: git clones what is there today", "check out a commit by its hash")


FETCH = "declare it as [[weights]] in the card, or add `sha256sum -c` to the step"


def _apt(where: str, words: Sequence[str]) -> Iterator[Finding]:
    for name in _arguments(words[1:], _APT_TAKES_VALUE)[1:]:
        if "=" not in name and not _LOCAL.match(name):
            yield error(f"{where}: apt installs {name} in any version", f"{name}=VERSION")


def _other(where: str, program: str, words: Sequence[str]) -> Iterator[Finding]:
    verbs, sign = _OTHERS[program]
    verb, *names = [*_arguments(words[1:], _OTHERS_TAKE_VALUE), ""]
    if verb in verbs.split() and not _VERSION & set(words):
        for name in filter(None, names):
            if (sign not in name[1:] or name.endswith("latest")) and not _LOCAL.match(name):
                told = f"{where}: {program} installs {name} in any version"
                yield error(told, f"{name.partition('@')[0]}{sign}VERSION")


def _pip(recipe: Recipe, where: str, words: Sequence[str]) -> Iterator[Finding]:
    for name in _arguments(words[1:], _PIP_TAKES_VALUE)[1:]:
        local = _LOCAL.match(name) and "://" not in name
        if not local and not _HASH.search(name) and "--no-index" not in words:
            remedy = "put it into a file of requirements, with version and hash"
            yield error(f"{where}: pip installs {name} without a hash", remedy)
    for file in _after(words, ("-r", "--requirement")):
        yield from _requirements(recipe, where, file)


def _requirements(
    recipe: Recipe, where: str, file: str, seen: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Look at a file of requirements, which the Dockerfile has copied from the context.

    Of a name with a variable in it, at every file that it may be; and at those that it includes.
    """
    pattern = re.sub(r"\$(\w+|\{[^}]*\})", "*", Path(file).name)
    files = {name: path for name, path, _ in recipe.context.files()}
    copied = _copied(recipe, files)
    found = {copied[name] for name in fnmatch.filter(copied, pattern)}
    if not found:
        yield warning(f"{where}: {file} is no file of the package, so its pins cannot be seen")
    for name in sorted(found - seen):
        text = re.sub(r"\\\n", " ", files[name].read_text(encoding="utf-8"))
        for line in (line.partition(" #")[0].strip() for line in text.splitlines()):
            included = re.match(r"(?:-r|--requirement)[\s=]*(\S+)", line)
            required = re.sub(r"^(-e|--editable)[\s=]*", "", line)
            if included:
                yield from _requirements(recipe, name, included[1], seen | {name})
            elif required and not required.startswith(("#", "-")):
                yield from _requirement(name, required)


def _copied(recipe: Recipe, files: Iterable[str]) -> dict[str, str]:
    """Tell the files of the context by their last names, also those that a COPY gives them."""
    named = {Path(name).name: name for name in files}
    for step in instructions(recipe.context.text()):
        words = [word for word in step.value.split() if not word.startswith("--")]
        if step.name in {"COPY", "ADD"} and len(words) == 2 and words[0] in files:
            named[Path(words[1]).name] = words[0]
    return named


def _requirement(file: str, line: str) -> Iterator[Finding]:
    if re.match(r"\w[\w+]*://", line):
        if not _HASH.search(line):
            yield error(
                f"{file}: {line.split(maxsplit=1)[0]} has no hash", "a file, and --hash=sha256:…"
            )
        return
    name = re.split(r"[\s=<>!~\[;@]", line)[0]
    if not _PIN.match(line):
        yield error(f"{file}: {name} in any version", f"{name}==VERSION")
    elif not _HASH.search(line):
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
