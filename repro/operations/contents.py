"""The files that a model makes: written beside the rows that name them."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
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

    def __init__(self, folder: Path, working: Path, names: IO[bytes]) -> None:
        self._folder, self._working, self._names = folder, working, names

    def write(self, prediction: JSON, number: int) -> None:
        """Write the files in a prediction."""
        for where, content in contents_in(prediction):
            path = self._working / _name(number, where, content)
            with translated(path), path.open("xb") as file:
                file.write(content)
                self._names.write(os.fsencode(path.name) + b"\n")

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
        working = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
        working.mkdir()
    try:
        with translated(folder):
            listed = (working / NAMES).open("xb")
        with listed as names:
            yield ContentFolder(target, working, names)
            with translated(folder):
                names.flush()
        with translated(folder):
            _check_replaceable(target, folder)
            if target.exists():
                shutil.rmtree(target)
            working.rename(target)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _check_replaceable(target: Path, given: str) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if target.is_symlink() or not target.is_dir():
        raise ConfigurationError(f"{given} is no folder for the files that are made")
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
