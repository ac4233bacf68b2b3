"""The names of what lies in image registries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from repro.errors import ConfigurationError

DOCKER_HUB = "docker.io"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_PATH = re.compile(r"[a-z0-9]+(?:(?:[./]|__?|-+)[a-z0-9]+)*")
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d+)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Where the versions of one image lie: a registry's host, and a path there."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"


def repository(name: str) -> Repository:
    """Read the name of a repository, as in ``ghcr.io/owner/hutto2014``.

    Raises
    ------
    ConfigurationError
        If it is none.
    """
    host, slash, path = name.partition("/")
    host = host.lower()
    if not slash or not re.search(r"[.:]|^localhost$", host):
        host, path = DOCKER_HUB, name
    if not (_HOST.fullmatch(host) and _PATH.fullmatch(path)):
        raise ConfigurationError(f"{name!r} names no place in a registry; it is HOST/NAMESPACE")
    return Repository(host=host, path=path)
