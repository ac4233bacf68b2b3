"""What is made beside its place, to appear there whole: where it lies until then, and whose it is.

A lock says that somebody is at it. So what a killed process has left is told from what is being
made, and the next one that makes the same removes it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


UNFINISHED = ".*.unfinished-*"  # what it is called, as a pattern


@contextmanager
def unfinished(
    target: Path, make: Callable[[Path], int], remove: Callable[[Path], object]
) -> Iterator[Path]:
    """Have something beside a place, under a name that nobody else uses; it goes with the block.

    Parameters
    ----------
    target : Path
        The place.
    make : callable
        Makes it at a path where nothing is, and opens it.
    remove : callable
        Removes it, or what a process left there that was killed.
    """
    path, descriptor = _claim(target, make, remove)
    try:
        yield path
    finally:
        with suppress(OSError):  # must not hide why we end; the next one tries again
            if _is_at(path, descriptor):  # else it has gone to its place
                remove(path)
        os.close(descriptor)


def _claim(
    target: Path, make: Callable[[Path], int], remove: Callable[[Path], object]
) -> tuple[Path, int]:
    number = 0
    while True:
        path = target.with_name(f".{target.name}.unfinished-{number}")
        if _removed(path, remove) and (descriptor := _made(path, make)) is not None:
            return path, descriptor
        number += 1


def _removed(path: Path, remove: Callable[[Path], object]) -> bool:
    """Remove what a dead process has left; False if it is not known to be dead."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(path, descriptor):
            remove(path)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _made(path: Path, make: Callable[[Path], int]) -> int | None:
    """Make it, and lock it as long as it is open; None if another process has come between."""
    try:
        descriptor = make(path)
    except FileExistsError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = _is_at(path, descriptor)
    except BlockingIOError:  # who has it is about to remove it
        ours = False
    except OSError:  # a file system without locks: nobody takes anything for abandoned there
        ours = True
    if ours:
        return descriptor
    os.close(descriptor)
    return None


def _is_at(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    return False
