"""Say who owns a container, a volume or a directory.

So leftovers of dead processes can be told from what belongs to live ones.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LABEL = "repro.owner"


@dataclass(frozen=True)
class Owner:
    """One process on one machine: a pid alone may be used again."""

    machine: str
    boot: str
    pid: int
    started: str
    namespace: str  # containers with a socket of the host have processes of their own

    def __str__(self) -> str:
        return f"{self.machine}:{self.boot}:{self.pid}:{self.started}:{self.namespace}"

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Read what `str()` wrote; None for anything else."""
        parts = text.strip().split(":")
        if len(parts) != 5 or not re.fullmatch("[0-9]{1,10}", parts[2]):
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3], parts[4])

    @property
    def dead(self) -> bool:
        """Whether the process is certainly gone; one that cannot be seen is not known to be."""
        if self.machine != _machine():
            return False
        if self.boot != _boot():
            return True
        if self.namespace != _namespace():
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except PermissionError:  # another user's
            pass
        return _started(self.pid) not in {None, self.started}


def this_process() -> Owner:
    """Name the calling process."""
    started = _started(os.getpid()) or "unknown"
    return Owner(_machine(), _boot(), os.getpid(), started, _namespace())


@cache
def _machine() -> str:
    for path in (Path("/etc/machine-id"), Path("/etc/hostname")):
        if path.is_file() and (text := path.read_text().strip()):
            return text.replace(":", "-")
    return os.uname().nodename


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@cache
def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def _started(pid: int) -> str | None:
    """Tell when a process started, in clock ticks since boot; empty if it is a zombie.

    None if that is hidden, as the processes of others may be.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    return "" if fields[0] in "ZX" else fields[19]
