"""The configuration file.

It is ``$REPRO_CONFIG``, or ``~/.repro/config.toml`` (or the ancestor's ``config.json``).
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from repro.errors import ConfigurationError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a user may set once for all.

    Parameters
    ----------
    docker_server : str, optional
        The engine's address, such as ``unix:///run/user/1000/docker.sock``.
    shared_files : bool, optional
        Whether the engine sees the files of this machine; by default it does if its address is a
        unix socket.
    namespace : str
        The first part of the names of our images.
    debian_mirror : str, optional
        Where base images get their Debian packages from; by default the mirror of this machine.
    ca_bundle : str, optional
        A file of certificates that builds shall trust.
    weights_mirror : str, optional
        A folder or an address that has weights under their SHA-256; it is asked first.
    registry : str, optional
        Where `repro publish` pushes images, as in ``ghcr.io/owner``.
    mirrors : tuple of str
        Registries that have our images under the same digests, as in ``mirror.lab:5000/repro``.
    allow_unlimited : bool
        Whether models may run where the engine cannot limit their memory and processes.
    """

    docker_server: str | None = None
    shared_files: bool | None = None
    namespace: str = "repro-models"
    debian_mirror: str | None = None
    ca_bundle: str | None = None
    weights_mirror: str | None = None
    registry: str | None = None
    mirrors: tuple[str, ...] = ()
    allow_unlimited: bool = False


def read_config() -> Config:
    """Read the configuration file, if there is one.

    Raises
    ------
    ConfigurationError
        If the file that ``$REPRO_CONFIG`` names is not there, or a file does not say what a
        configuration may.
    """
    path = _config_path()
    return Config() if path is None else _parse(path)


def _config_path() -> Path | None:
    named = os.environ.get("REPRO_CONFIG")
    if named:
        return Path(named)
    try:
        home = Path("~/.repro").expanduser()
        return next((p for p in (home / "config.toml", home / "config.json") if p.is_file()), None)
    except (OSError, RuntimeError):  # no home, or one that this user may not enter
        return None


def _parse(path: Path) -> Config:
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    known = {field.name: str(field.type) for field in fields(Config)}
    for key, value in values.items():
        if key not in known:
            raise ConfigurationError(f"{path}: {key!r} is not a setting{nearest(key, known)}")
        kind = known[key].removesuffix(" | None")
        if not _is(kind, value):
            raise ConfigurationError(f"{path}: {key!r} must be a {_WORDS[kind]}, not {value!r}")
        if isinstance(value, list):
            values[key] = tuple(value)
    return Config(**values)


_WORDS = {"bool": "bool", "str": "str", "tuple[str, ...]": "list of strings"}


def _is(kind: str, value: object) -> bool:
    if kind == "tuple[str, ...]":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, bool if kind == "bool" else str)
