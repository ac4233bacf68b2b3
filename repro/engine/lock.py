"""One build or push of an image, or one fetch of a file, at a time, of a user's processes."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def one_at_a_time(
    name: str, report: Callable[[str], None] | None = None, doing: str = "builds"
) -> Iterator[None]:
    """Wait until no other process of this user builds the image `name`, or does what it does."""
    file = _folder() / sha256(name.encode()).hexdigest()[:16]
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if report is not None:
                report(f"waiting for another process that {doing} {name}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _folder() -> Path:
    """Find the folder of the locks, which nobody else can enter."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    with suppress(OSError):
        return _private(cache / "repro" / "locks")
    return _private(Path(tempfile.gettempdir()) / f"locks-of-repro-{os.getuid()}")


def _private(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid() or not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o700)
    return folder
