"""The files that a model makes: written beside the rows that name them."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from repro.common.io import translated
from repro.data.formats import STREAM
from repro.errors import ConfigurationError
from repro.models.files import contents_in, with_contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.common.jsonlines import JSON
    from repro.models.files import Content

NAMES = ".made"  # in the folder: the names of what was written there, one a line


class ContentFolder:
    """A folder of files, each named after its row and its place in the prediction."""

    def __init__(self, folder: Path, given: str) -> None:
        self._folder, self._given = folder, given
        mark = os.urandom(4).hex()
        self._working = folder.with_name(f".{folder.name}.{mark}")
        self._before = folder.with_name(f".{folder.name}.{mark}~")
        self._working.mkdir()
        self._names: IO[bytes] = (self._working / NAMES).open("xb")
        self._there = False

    def write(self, prediction: JSON, number: int) -> None:
        """Write the files in a prediction."""
        for where, content in contents_in(prediction):
            path = self._working / _name(number, where, content)
            with translated(path), path.open("xb") as file:
                file.write(content)
                self._names.write(os.fsencode(path.name) + b"\n")

    def publish(self) -> None:
        """Have the folder appear; one that is replaced comes back if the block fails yet."""
        if self._there:
            return
        with translated(self._given):
            self._names.close()
            _check_replaceable(self._folder, self._given)
            if self._folder.exists():
                self._working.chmod(stat.S_IMODE(self._folder.stat().st_mode))
                self._folder.rename(self._before)
            self._working.rename(self._folder)
            self._there = True

    def withdraw(self) -> None:
        """Have there what was there before."""
        if self._there:
            shutil.rmtree(self._folder, ignore_errors=True)
        if os.path.lexists(self._before):
            self._before.rename(self._folder)

    def clear(self) -> None:
        """Leave nothing beside the folder."""
        with suppress(OSError):  # what it holds back is not wanted any more
            self._names.close()
        for left in (self._working, self._before):
            shutil.rmtree(left, ignore_errors=True)

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
def content_folder(folder: str) -> Iterator[ContentFolder]:
    """Have a folder that appears whole or not at all; one that was made this way is replaced.

    Raises
    ------
    ConfigurationError
        If something else is there.
    """
    target = Path(folder).absolute()
    target = target.parent.resolve() / target.name
    _check_replaceable(target, folder)
    with translated(folder):
        target.parent.mkdir(parents=True, exist_ok=True)
        contents = ContentFolder(target, folder)
    try:
        yield contents
        contents.publish()
    except BaseException:
        contents.withdraw()
        raise
    finally:
        contents.clear()


def _check_replaceable(target: Path, given: str) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if target.is_symlink() or not target.is_dir():
        raise ConfigurationError(f"{given} is no folder for the files that are made")
    if target.samefile(Path.cwd()):  # whoever stands in it would stand nowhere
        raise ConfigurationError(f"{given} is the working directory; name a folder in it")
    ours = {os.fsencode(NAMES)}
    if (names := target / NAMES).is_file():
        ours.update(names.read_bytes().splitlines())
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


def _name(number: int, where: str, content: Content) -> str:
    place = f"-{where.replace('/', '_')}" if where else ""
    return f"{number}{place}{content.suffix}"
