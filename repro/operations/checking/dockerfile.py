"""Read a Dockerfile as far as the checks need it: its instructions, and the commands of a shell."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What ends no command, though it has the signs that do: redirections, and `;` after `find -exec`.
_NO_END = re.compile(
    r"(?<!\S)(\d*(>>?|<)|&>>?)(&\d?-?|\s*[^\s;&|()<>\"']+)|\\;|(?<=\s)(';'|\";\")(?=\s|$)"
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_STOPS = re.compile(r";;|&&|\|\|?&?|[()]")  # signs that pass over no failure
_NO_COMMAND = re.compile(r"(then|else|elif|fi|\}|exit [1-9]\d*|)( |$)")  # or one that fails
_OWN_SHELL = re.compile(r"\S*\b(ba|da)?sh (-\w+ )*-\w*c ")
_WORDS_BEFORE = {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "exec", "time"}


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction, its lines joined."""

    line: int
    name: str
    value: str

    @property
    def shell(self) -> str:
        """The line that a shell would run, also of a list of words, which needs none."""
        try:
            return shlex.join(json.loads(self.value)) if self.value.startswith("[") else self.value
        except (ValueError, TypeError):  # it is no list of words, and a shell gets it as it stands
            return self.value


def instructions(text: str) -> list[Instruction]:
    """List the instructions of a Dockerfile; comments are left out, also those between lines."""
    found = []
    for number, line in joined(text):
        name, _, value = line.strip().partition(" ")
        found.append(Instruction(line=number, name=name.upper(), value=value.strip()))
    return found


def joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a Dockerfile or a script, those that go on in the next one as one.

    Each has the number of its first line.
    """
    begun, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not begun and not line.strip()):
            continue
        start = start if begun else number
        if line.rstrip().endswith("\\"):
            begun += line.rstrip()[:-1] + " "
            continue
        yield start, begun + line
        begun = ""


def with_values(command: str, steps: Iterable[Instruction]) -> str:
    """Put the values that ARG and ENV give to variables into a shell's line."""
    values = {
        name: value
        for step in steps
        if step.name in {"ARG", "ENV"}
        for name, equals, value in (word.partition("=") for word in _split(step.value))
        if equals
    }
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], found[0]), command)


def tokens(command: str) -> list[str]:
    """Cut a shell's line into words, and the signs between its commands; leave out redirections."""
    command = _NO_END.sub(" ", command)
    return _split(command, signs=";&|()")


def _split(line: str, *, signs: str | bool = False) -> list[str]:
    reader = shlex.shlex(line, posix=True, punctuation_chars=signs)
    reader.whitespace_split, reader.commenters = True, ""
    try:
        return list(reader)
    except ValueError:  # a quote that does not end: the shell will say so
        return line.split()


def commands(command: str) -> Iterator[list[str]]:
    """Yield the words of each command of a shell's line, without what it begins a block with.

    Of one that a shell of its own runs (``sh -c``), also what that runs.
    """
    words: list[str] = []
    for token in [*tokens(command), ";"]:
        if re.fullmatch(r"[;&|()]+", token):
            if words:
                yield words
            if _OWN_SHELL.match(" ".join(words)):
                yield from commands(words[-1])
            words = []
        elif words or (token not in _WORDS_BEFORE and not re.match(r"\w+=", token)):
            words.append(token)


def goes_on_after_failure(command: str) -> bool:
    """Whether a shell's line has several commands, of which one may fail and the next is run."""
    found = tokens(command)
    several = any(
        re.fullmatch(r"[;&|()]+", token)
        and _STOPS.sub("", token)
        and not _NO_COMMAND.match(" ".join(found[place : place + 2]))
        for place, token in enumerate(found, 1)
    )
    return several and not stops_at_failure(command)


def stops_at_failure(script: str) -> bool:
    """Whether a script begins by asking for that."""
    return bool(re.match(r"\s*set\s+(-\w*e\w*|(-\w+\s+)*-o\s+errexit)\b", script))
