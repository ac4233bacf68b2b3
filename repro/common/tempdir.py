"""Temporary directories whose removal never hides an error."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path


class TemporaryDirectory:
    """A directory that is removed at the end of the block; a context manager that gives its path.

    Parameters
    ----------
    root : str, optional
        Where to make it; made if it is not there.
    persist : bool
        Leave it there.
    """

    def __init__(self, root: str | None = None, persist: bool = False) -> None:  # noqa: FBT001, FBT002  as in the ancestor
        self.root, self.persist = root, persist

    def __enter__(self) -> str:
        if self.root is not None:
            Path(self.root).mkdir(parents=True, exist_ok=True)
        self._path = tempfile.mkdtemp(prefix="repro-", dir=self.root)
        return self._path

    def __exit__(self, *_: object) -> None:
        if self.persist:
            return
        try:
            shutil.rmtree(self._path)
        except OSError as error:
            logging.getLogger(__name__).warning("could not remove %s: %s", self._path, error)
