"""What other distributions declare: the entry points of the group `repro.models`.

Importing `importlib.metadata` and asking it takes as long as all the rest of `repro list`, so what
a folder of installed distributions declares is kept in the cache while the folder is the same: one
that is installed, upgraded or removed changes the folder's time.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from repro.catalog.places import cache_folder

if TYPE_CHECKING:
    from typing import TypeAlias

    Known: TypeAlias = dict[str, tuple[int, list[list[str]]]]  # folder → its time in ns, and rows

GROUP = "repro.models"
FORMAT = 1  # a new one for another content
TICK = 100_000_000  # ns, as for the index


class Declared(NamedTuple):
    """One entry point: `module` is a package of models, or has some in folders of its own."""

    module: str
    distribution: str


def declared() -> list[Declared]:
    """List what the distributions on `sys.path` declare; of two for one module, the first."""
    known = _load()
    found: dict[str, Declared] = {}
    stale: Known = {}
    for folder in dict.fromkeys(map(os.path.abspath, sys.path)):
        with suppress(OSError):  # no folder, or one that may not be read
            changed = os.stat(folder).st_mtime_ns  # noqa: PTH116  a Path costs as much
            if folder in known and known[folder][0] == changed:
                rows = known[folder][1]
            elif _has_distributions(folder):
                rows = _read(folder)
                stale[folder] = (changed, rows)
            else:
                continue
            for module, distribution in rows:
                found.setdefault(module, Declared(module, distribution))
    if stale:
        _save({**known, **stale})
    return sorted(found.values(), key=lambda one: (one.distribution, one.module))


def _has_distributions(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.name.endswith((".dist-info", ".egg-info")) for entry in entries)


def _read(folder: str) -> list[list[str]]:
    """Ask the distributions of one folder; one whose metadata are broken declares nothing."""
    from importlib.metadata import distributions

    rows = []
    for distribution in distributions(path=[folder]):
        with suppress(OSError, ValueError, TypeError):  # lines that are no entry points
            rows += [
                [entry.value.partition(":")[0].strip(), str(distribution.metadata["Name"])]
                for entry in distribution.entry_points
                if entry.group == GROUP
            ]
    return rows


def _load() -> Known:
    """Read what is kept; nothing if it is not there, broken or another version's."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        file = _file()
        held = json.loads(file.read_bytes()) if file else {}
        if held["format"] == FORMAT:
            return {
                str(folder): (int(changed), [[str(m), str(d)] for m, d in rows])
                for folder, (changed, rows) in held["folders"].items()
            }
    return {}


def _save(known: Known) -> None:
    """Keep what was read, if that can be done; a folder that changed just now may change again."""
    from repro.common.io import whole_file
    from repro.errors import ReproError

    file, now = _file(), time.time_ns()
    if file is None:
        return
    kept = {f: held for f, held in known.items() if now - held[0] > TICK and Path(f).is_dir()}
    with suppress(OSError, ReproError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as target:
            target.write(json.dumps({"format": FORMAT, "folders": kept}).encode())


def _file() -> Path | None:
    cache = cache_folder()
    return cache and cache / "entry-points.json"
