"""Set up logging for a program; the library itself adds no handler."""

from __future__ import annotations

import logging
from pathlib import Path

from repro.common.io import translated

FORMAT = "%(asctime)s - %(levelname)s - %(name)s - %(message)s"

_added: list[logging.Handler] = []


def prepare_global_logging(
    file_path: str | None = None,
    silent: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
) -> None:
    """Log from INFO on, to a file, to standard error, or both.

    A second call replaces what the first one set up, and handlers of others stay; in the ancestor
    it did nothing where there was a handler already. The ancestor logged to standard output, which
    belongs to data.

    Parameters
    ----------
    file_path : str, optional
        The file to append to; its folders are made.
    silent : bool
        Do not log to standard error.

    Raises
    ------
    DataFileError
        If the file cannot be written.
    """
    handlers: list[logging.Handler] = []
    if file_path is not None:
        with translated(file_path):
            Path(file_path).parent.mkdir(parents=True, exist_ok=True)
            handlers.append(logging.FileHandler(file_path, encoding="utf-8"))
    # Without any handler, Python prints warnings to standard error by itself.
    handlers.append(logging.NullHandler() if silent else logging.StreamHandler())
    root = logging.getLogger()
    for handler in _added:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        handler.setFormatter(logging.Formatter(FORMAT))
        root.addHandler(handler)
    _added[:] = handlers
    root.setLevel(logging.INFO)
