"""What killed processes left behind: found by its owner, and removed."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from repro.engine.client import translated
from repro.engine.exchange import PREFIX, remove_tree
from repro.engine.owner import LABEL, Owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repro.engine.client import Engine

MAX_OWNER = 256  # bytes of an owner


def sweep(engine: Engine) -> list[str]:
    """Remove the containers, volumes and exchange directories of processes that are gone.

    What belongs to a live process, to another machine, or to nobody known is not touched.

    Returns
    -------
    list of str
        What was removed.
    """
    removed = [*_containers(engine), *_volumes(engine)]
    if _abandoned_containers(engine):  # one that lives still writes into its directory
        return removed
    return removed + _directories()


def find_leftovers(engine: Engine) -> list[str]:
    """Name what `sweep` would remove."""
    api = engine.api
    with translated(engine.address):
        volumes = api.volumes(filters={"label": LABEL})["Volumes"] or ()
    found = [f"container {one[:12]}" for one in _abandoned_containers(engine)]
    found = found + [f"volume {one['Name']}" for one in volumes if _abandoned(one["Labels"])]
    return found + [f"directory {one}" for one in _abandoned_directories()]


def sweep_once(engine: Engine) -> None:
    """Sweep at the first call of a process."""
    if os.getpid() not in _swept:
        _swept.add(os.getpid())
        sweep(engine)


_swept: set[int] = set()


def _containers(engine: Engine) -> list[str]:
    from docker.errors import APIError

    removed = []
    for one in _abandoned_containers(engine):
        with translated(engine.address), suppress(APIError):  # gone, or going
            engine.api.remove_container(one, v=True, force=True)
            removed.append(f"container {one[:12]}")
    return removed


def _abandoned_containers(engine: Engine) -> list[str]:
    with translated(engine.address):
        found = engine.api.containers(all=True, filters={"label": LABEL})
    return [one["Id"] for one in found if _abandoned(one["Labels"])]


def _volumes(engine: Engine) -> list[str]:
    from docker.errors import APIError

    removed = []
    with translated(engine.address):
        for one in engine.api.volumes(filters={"label": LABEL})["Volumes"] or ():
            if _abandoned(one["Labels"]):
                with suppress(APIError):
                    engine.api.remove_volume(one["Name"], force=True)
                    removed.append(f"volume {one['Name']}")
    return removed


def _directories() -> list[str]:
    removed = []
    for parent in _abandoned_directories():
        with suppress(OSError):  # going away at this moment
            remove_tree(parent)
            removed.append(f"directory {parent}")
    return removed


def _abandoned_directories() -> list[Path]:
    found = []
    for parent in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's
            owner = _owner(parent)
            if owner is not None and owner.dead:
                found.append(parent)
    return found


def _owner(parent: Path) -> Owner | None:
    """Read whose a directory of this user is; anybody can put something of that name there."""
    status = parent.lstat()
    if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode):
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(parent / "owner", flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        return Owner.parse(file.read(MAX_OWNER).decode(errors="replace"))


def _abandoned(labels: Mapping[str, str] | None) -> bool:
    owner = Owner.parse((labels or {}).get(LABEL, ""))
    return owner is not None and owner.dead
