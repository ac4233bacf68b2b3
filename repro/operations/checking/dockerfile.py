"""Read a Dockerfile as far as the checks need it: its instructions, and the commands of a shell."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHAINED = {"&&", "||", "|"}
_WORDS_BEFORE = {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "exec", "time"}


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction, its lines joined."""

    line: int
    name: str
    value: str


def instructions(text: str) -> list[Instruction]:
    """List the instructions of a Dockerfile; comments are left out, also those between lines."""
    found: list[Instruction] = []
    begun, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not begun and not line.strip()):
            continue
        start = start if begun else number
        if line.rstrip().endswith("\\"):
            begun += line.rstrip()[:-1] + " "
            continue
        name, _, value = (begun + line).strip().partition(" ")
        found.append(Instruction(line=start, name=name.upper(), value=value.strip()))
        begun = ""
    return found


def tokens(command: str) -> list[str]:
    """Cut a shell's line into words, and the signs between its commands."""
    reader = shlex.shlex(command, posix=True, punctuation_chars=";&|()")
    reader.whitespace_split, reader.commenters = True, ""
    try:
        return list(reader)
    except ValueError:  # a quote that does not end: the shell will say so
        return command.split()


def commands(command: str) -> Iterator[list[str]]:
    """Yield the words of each command of a shell's line, without what it begins a block with."""
    words: list[str] = []
    for token in [*tokens(command), ";"]:
        if re.fullmatch(r"[;&|()]+", token):
            if words:
                yield words
            words = []
        elif words or (token not in _WORDS_BEFORE and not re.match(r"\w+=", token)):
            words.append(token)


def goes_on_after_failure(command: str) -> bool:
    """Whether a shell's line has several commands, of which one may fail and the next is run."""
    signs = [token for token in tokens(command) if re.fullmatch(r"[;&|()]+", token)]
    several = any(sign not in _CHAINED for sign in signs)
    return several and not stops_at_failure(command)


def stops_at_failure(script: str) -> bool:
    """Whether a script begins by asking for that."""
    return bool(re.match(r"\s*set\s+(-\w*e\w*|(-\w+\s+)*-o\s+errexit)\b", script))
