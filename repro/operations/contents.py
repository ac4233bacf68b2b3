"""The files that a model makes: written beside the rows that name them."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from repro.common.io import translated
from repro.data.formats import STREAM
from repro.errors import ConfigurationError
from repro.models.files import contents_in, with_contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.common.jsonlines import JSON
    from repro.models.files import Content

_OURS = re.compile(r"\d+(?:-[^/]*)?(?:\.[A-Za-z0-9]{1,16}){0,2}")


class ContentFolder:
    """A folder of files, each named after its row and its place in the prediction."""

    def __init__(self, folder: Path, working: Path) -> None:
        self._folder, self._working = folder, working

    def write(self, prediction: JSON, number: int) -> None:
        """Write the files in a prediction."""
        for where, content in contents_in(prediction):
            path = self._working / _name(number, where, content)
            with translated(path), path.open("xb") as file:
                file.write(content)

    def named(self, prediction: JSON, number: int, output: str) -> JSON:
        """Put the path of each file in its place, as seen from the rows that name it."""
        start = Path.cwd() if output == STREAM else Path(output).absolute().parent
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
    _check_replaceable(target, folder)
    with translated(folder):
        target.parent.mkdir(parents=True, exist_ok=True)
        working = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
        working.mkdir()
    try:
        yield ContentFolder(target, working)
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
    strange = next((p.name for p in target.iterdir() if not _OURS.fullmatch(p.name)), None)
    if strange is not None:
        raise ConfigurationError(
            f"{given} has files that no prediction has made, such as {strange}; choose another "
            "folder with --files"
        )


def _name(number: int, where: str, content: Content) -> str:
    place = f"-{where.replace('/', '_')}" if where else ""
    return f"{number}{place}{content.suffix}"
