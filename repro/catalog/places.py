"""Where the packages lie: beside `repro` in a checkout, inside it where a wheel was installed.

And where what can be made again is kept.
"""

from __future__ import annotations

import os
from pathlib import Path

import repro
from repro.errors import ConfigurationError


def models_root() -> Path:
    """Find the folder that has one folder a package: card, Dockerfile, programs."""
    return _share() / "models"


def base_dockerfile() -> Path:
    """Find the Dockerfile of the base images."""
    return _share() / "Dockerfile.base"


def runtime_file() -> Path:
    """Find the in-container half of `repro`."""
    return _code() / "runtime" / "repro_runtime.py"


def template(name: str) -> Path:
    """Name a file that a new package is made of."""
    return _code() / "templates" / name


def checkout() -> Path | None:
    """Find the checkout that `repro` runs from; None where a wheel was installed."""
    return None if _share() == _code() / "share" else _share()


def model_code(package: str) -> Path:
    """Name the folder of a package's Python classes, whether it exists or not."""
    return _code() / "models" / package


def cache_folder() -> Path | None:
    """Name the folder for what can be made again, whether it exists or not; None if there is none.

    It is ``$REPRO_CACHE``, or ``repro`` in ``$XDG_CACHE_HOME``, or ``~/.cache/repro``.
    """
    if named := os.environ.get("REPRO_CACHE"):
        return Path(named).absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not shared.is_absolute():  # which its specification tells to ignore
        try:
            shared = Path.home() / ".cache"
        except RuntimeError:  # neither $HOME nor an entry in the list of users
            return None
    return shared / "repro"


def _code() -> Path:
    return Path(repro.__path__[0]).resolve()


def _share() -> Path:
    for folder in (_code().parent, _code() / "share"):
        if (folder / "Dockerfile.base").is_file() and (folder / "models").is_dir():
            return folder
    raise ConfigurationError(
        f"the installation at {_code()} is not whole; install repro-models again"
    )
