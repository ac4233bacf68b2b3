"""Where podman answers otherwise than docker does, whose way of talking it has taken over."""

from __future__ import annotations

import re
import resource
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# At most, of open files and processes: of itself it asks for 2**20 of each, whether or not its
# machine grants that.
_MOST = {"nofile": (resource.RLIMIT_NOFILE, 2**20), "nproc": (resource.RLIMIT_NPROC, 2**15)}
_NOTHING_TO_EXECUTE = re.compile(r"ERROR \(catatonit:\d+\): failed to exec pid1: ")


def adapt(host: dict[str, Any]) -> None:
    """Undo what it does to a container of its own accord.

    It raises limits; fills a `tmpfs` with what the image has there; and makes two more of them in a
    container whose files are read-only.
    """
    for name, (kind, wanted) in _MOST.items():
        hard = resource.getrlimit(kind)[1]
        limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        host["Ulimits"].append({"Name": name, "Soft": limit, "Hard": limit})
    if "Tmpfs" in host:
        empty = {target: f"{options},notmpcopyup" for target, options in host["Tmpfs"].items()}
        host["Tmpfs"] = dict.fromkeys(("/run", "/var/tmp"), "ro,notmpcopyup") | empty


def lacks_program(status: int | None, lines: Sequence[str]) -> bool:
    """Tell whether its init found no program; docker's ends with 127, and says which."""
    return status == 1 and len(lines) == 1 and _NOTHING_TO_EXECUTE.match(lines[0]) is not None


def registry_has(api: Any, name: str, timeout: float) -> bool:
    """Ask a registry for an image, by its whole name; docker's question is not known there."""
    place, slash, _ = name.partition("/")
    if not slash or not re.search(r"[.:]|^localhost$", place):
        name = f"docker.io/{'' if slash else 'library/'}{name}"
    url = f"{api.base_url}/v4.0.0/libpod/manifests/{name}/json"
    answer = api.get(url, timeout=timeout)
    return answer.ok or "parsing manifest blob" in answer.text  # of one platform: it wants a list
