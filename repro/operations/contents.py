"""The files that a model makes: written beside the rows that name them."""

from __future__ import annotations

import json
import os
import shutil
import stat
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from repro.common.io import translated
from repro.common.unfinished import unfinished
from repro.data.formats import STREAM
from repro.errors import ConfigurationError
from repro.models.files import contents_in, with_contents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repro.common.jsonlines import JSON
    from repro.models.files import Content

BEFORE = "before"  # in the one that is being made: what it replaces
NAMES = ".made"  # in the folder: which rows it is of, as JSON, and then its names, one a line


class ContentFolder:
    """A folder of files, each named after its row and its place in the prediction."""

    def __init__(self, folder: Path, given: str, rows: Sequence[str], working: Path) -> None:
        self._folder, self._given, self._rows = folder, given, rows
        self._made, self._before = working / "made", working / BEFORE
        self._made.mkdir()
        self._names: IO[bytes] = (self._made / NAMES).open("xb")
        self._names.write(json.dumps(rows).encode() + b"\n")
        self._there = False

    def write(self, prediction: JSON, number: int) -> None:
        """Write the files in a prediction."""
        for where, content in contents_in(prediction):
            path = self._made / _name(number, where, content)
            with translated(self._given), path.open("xb") as file:
                file.write(content)
                self._names.write(os.fsencode(path.name) + b"\n")

    def publish(self) -> None:
        """Have the folder appear; one that is replaced comes back if the block fails yet."""
        if self._there:
            return
        with translated(self._given):
            self._names.close()
            _check_replaceable(self._folder, self._given, self._rows)
            if self._folder.exists():
                self._made.chmod(stat.S_IMODE(self._folder.stat().st_mode))
                self._folder.rename(self._before)
            self._made.rename(self._folder)
            self._there = True

    def withdraw(self) -> None:
        """Take back what has appeared."""
        with suppress(OSError):  # what it holds back is not wanted any more
            self._names.close()
        with suppress(OSError):  # must not hide why
            if self._there:
                self._folder.rename(self._made)

    def named(self, prediction: JSON, number: int, output: str) -> JSON:
        """Put the path of each file in its place, as seen from the rows that name it."""
        # Without links: from where one leads, `..` is another folder.
        start = Path.cwd() if output == STREAM else Path(output).parent.resolve()
        folder = os.path.relpath(self._folder, start)

        def name(where: str, content: Content) -> str:
            return f"{folder}/{_name(number, where, content)}"

        named: JSON = with_contents(prediction, name)
        return named


@contextmanager
def content_folder(folder: str, outputs: Sequence[str] = ()) -> Iterator[ContentFolder]:
    """Have a folder that appears whole or not at all; one that was made this way is replaced.

    Parameters
    ----------
    folder : str
        The folder.
    outputs : sequence of str
        The files of the rows that name what is in it.

    Raises
    ------
    ConfigurationError
        If something else is there, or what other rows name.
    """
    target = Path(folder).absolute()
    target = target.parent.resolve() / target.name
    rows = [os.path.relpath(Path(one).resolve(), target.parent) for one in outputs if one != STREAM]
    with ExitStack() as stack:
        with translated(folder):
            _check_replaceable(target, folder, rows)
            target.parent.mkdir(parents=True, exist_ok=True)
            removed = partial(_remove, target=target)
            working = stack.enter_context(unfinished(target, _new_folder, removed))
            contents = ContentFolder(target, folder, rows, working)
        try:
            yield contents
            contents.publish()
        except BaseException:
            contents.withdraw()
            raise


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _remove(working: Path, target: Path) -> None:
    """Remove where a run has made files; what it was to replace comes back if nothing has."""
    if not os.path.lexists(target):
        with suppress(FileNotFoundError):
            (working / BEFORE).rename(target)
    shutil.rmtree(working)


def _check_replaceable(target: Path, given: str, rows: Sequence[str]) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if target.is_symlink() or not target.is_dir():
        raise ConfigurationError(f"{given} is no folder for the files that are made")
    if target.is_mount():
        raise ConfigurationError(f"{given} is a mount point; name a folder in it")
    if not os.access(target, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{given} may not be written to; name another folder")
    if target.samefile(Path.cwd()):  # whoever stands in it would stand nowhere
        raise ConfigurationError(f"{given} is the working directory; name a folder in it")
    _check_contents(target, given, rows)


def _check_contents(target: Path, given: str, rows: Sequence[str]) -> None:
    """Refuse a folder whose files others need."""
    named_by, made = _description(target / NAMES)
    others = [one for one in named_by if one not in rows and (target.parent / one).exists()]
    if others:
        raise ConfigurationError(
            f"{given} has the files that {target.parent / others[0]} names; choose another folder "
            "with --files"
        )
    ours = {os.fsencode(NAMES), *made}
    with os.scandir(target) as entries:
        strange = next(
            (
                one.name
                for one in entries
                if os.fsencode(one.name) not in ours or one.is_dir(follow_symlinks=False)
            ),
            None,
        )
    if strange is not None:
        raise ConfigurationError(
            f"{given} has files that no prediction has made, such as {strange}; choose another "
            "folder with --files"
        )


def _description(path: Path) -> tuple[list[str], list[bytes]]:
    """Read which rows name what is in a folder, and what was made there."""
    try:
        rows, *made = path.read_bytes().splitlines()
        return [str(one) for one in json.loads(rows)], made
    except (OSError, ValueError, TypeError):  # there is none, or it is somebody else's
        return [], []


def _name(number: int, where: str, content: Content) -> str:
    place = f"-{where.replace('/', '_')}" if where else ""
    return f"{number}{place}{content.suffix}"
