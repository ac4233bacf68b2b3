"""The one directory that host and container share, and how to read it without trusting it."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from repro.common.io import translated as file_errors
from repro.common.jsonlines import JSON, MAX_ROW, JSONRuleError, decode
from repro.engine.owner import LABEL, this_process
from repro.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from repro.engine.client import Engine

log = logging.getLogger(__name__)

USER = 10001  # the base image's own user, for callers that are root and for remote engines
PREFIX = "repro-exchange-"
MAX_ENTRIES = 100_000  # files and directories that a container may leave behind
MAX_DEPTH = 32

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Exchange:
    """An exchange directory on this machine, which a local engine binds into the container.

    It is a subdirectory of one that only the caller can enter, and belongs to the user inside. Use
    it as a context manager; the end removes it with all that a container left there.

    Parameters
    ----------
    engine : Engine
        The engine whose containers shall see it.
    """

    inside = "/exchange"  # where a container finds it

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.irregular: dict[str, str] = {}  # what a remote container left that is no regular file

    def __enter__(self) -> Self:
        self.parent = make_parent()
        try:
            with file_errors(self.parent):
                self._fill()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _fill(self) -> None:
        passwd = self.parent / "passwd"
        passwd.write_text(_passwd(self.user))
        passwd.chmod(0o644)
        self.directory = self.parent / "exchange"
        self.directory.mkdir(mode=0o700)
        self.directory.chmod(0o700)
        if os.getuid() == 0 and self.user[0] != 0:
            os.chown(self.directory, *self.user)

    def __exit__(self, *_: object) -> None:
        try:
            remove_tree(self.parent)
        except OSError as error:  # must not hide why we end; the next start tries again
            log.warning("could not remove %s: %s", self.parent, error)

    @property
    def user(self) -> tuple[int, int]:
        """The user and group that a container runs as.

        They are such that the caller can read and remove what it writes.
        """
        if self._engine.keeps_ids:
            return os.getuid(), os.getgid()
        if self._engine.rootless and self._engine.local:
            return 0, 0  # which is the caller, outside
        if os.getuid() == 0 or not self._engine.local:
            return USER, USER
        return os.getuid(), os.getgid()

    def mounts(self) -> list[dict[str, Any]]:
        """Say what to mount, in the engine's words.

        `Mounts` refuse a path that is missing, `Binds` create it.
        """
        return [
            bind(self.directory, self.inside),
            bind(self.parent / "passwd", "/etc/passwd", read_only=True),
        ]

    def push(self, image: str) -> None:
        """Carry over what was written, before the start; a local engine sees it as it is."""

    def pull(self, limit: int, reader: str) -> None:
        """Fetch what the container wrote, after its end."""

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file that the container can read, whatever the caller's umask."""
        path = self.directory / name
        with file_errors(path), path.open("xb") as file:
            os.fchmod(file.fileno(), 0o644)
            yield file

    def open(self, name: str, reader: str) -> IO[bytes]:
        """Open a regular file that a container left; follow no link, wait for no FIFO.

        Raises
        ------
        OutputError
            In the name of `reader`, if there is no such file or it is something else.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        if name in self.irregular:
            raise OutputError(reader, f"{name} is {self.irregular[name]}, not a file")
        try:
            folder = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                descriptor = os.open(name, flags, dir_fd=folder)
            finally:
                os.close(folder)
        except FileNotFoundError:
            raise OutputError(reader, f"it wrote no {name}") from None
        except OSError as error:
            kind = (
                "a symbolic link" if error.errno == errno.ELOOP else (error.strerror or str(error))
            )
            raise OutputError(reader, f"{name} is {kind}, not a file that can be read") from None
        irregular = _KINDS.get(stat.S_IFMT(os.fstat(descriptor).st_mode))
        if irregular is not None:
            os.close(descriptor)
            raise OutputError(reader, f"{name} is {irregular}, not a file")
        return os.fdopen(descriptor, "rb")

    def rows(self, name: str, reader: str) -> Iterator[JSON]:
        """Yield the JSON values of a file that a container left, one a line.

        Raises
        ------
        OutputError
            In the name of `reader`, with the row that breaks a rule.
        """
        with self.open(name, reader) as file:
            for index, line in enumerate(iter(lambda: file.readline(MAX_ROW + 2), b"")):
                try:
                    yield decode(line.removesuffix(b"\n"))
                except JSONRuleError as error:
                    raise OutputError(reader, str(error), index) from None

    def size(self) -> tuple[int, int]:
        """Measure what lies in it: bytes, on disk or as told, whichever is more; and entries.

        A tree that is too deep or too full to walk, or that hides what is in it, counts as more
        entries than are allowed.
        """
        total = entries = 0
        pending = [(str(self.directory), 0)]
        while pending and entries <= MAX_ENTRIES:
            folder, depth = pending.pop()
            if depth > MAX_DEPTH:
                return total, MAX_ENTRIES + 1
            try:
                for status, path in _statuses(folder):
                    entries += 1
                    total += max(status.st_blocks * 512, status.st_size)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append((path, depth + 1))
            except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
                continue
            except OSError:
                return total, MAX_ENTRIES + 1
        return total, entries

    def free(self) -> int:
        """Bytes that are free where it lies."""
        return shutil.disk_usage(self.directory).free


class Inbox(Exchange):
    """An exchange directory that the container can only read.

    A container that lives long has no end at which to look at what it wrote. A remote engine has
    nothing to bind; its containers run as the base image's own user.
    """

    def mounts(self) -> list[dict[str, Any]]:
        """Say what to mount, in the engine's words."""
        if not self._engine.local:
            return []
        return [{**mount, "ReadOnly": True} for mount in super().mounts()]


def bind(source: Path | str, target: str, *, read_only: bool = False) -> dict[str, Any]:
    """Say in the engine's words that a path of the host is to be seen inside."""
    return {"Type": "bind", "Source": str(source), "Target": target, "ReadOnly": read_only}


def make_parent() -> Path:
    """Make a directory that only the caller can enter, and that says which process it belongs to.

    `leftovers` finds it after the death of that process.
    """
    with file_errors(tempfile.gettempdir()):
        parent = Path(tempfile.mkdtemp(prefix=PREFIX))
        (parent / "owner").write_text(f"{this_process()}\n")
    return parent


def remove_tree(top: Path) -> None:
    """Remove a directory whatever a container left in it: no depth, no mode and no link stops it.

    Directories are moved up to the top before they are emptied, so neither the stack nor the number
    of open files grows. Each is opened relative to the one above, and never through a link: also
    one that a container swaps at this moment leads nowhere else.
    """
    root = _enter(str(top))
    try:
        pending = _unlink_files(root)
        while pending:
            name = pending.pop()
            folder = _enter(name, root)
            try:
                for below in _unlink_files(folder):
                    os.close(_enter(below, folder))  # only what can be written to can be moved
                    moved = f".removed-{os.urandom(8).hex()}"
                    os.rename(below, moved, src_dir_fd=folder, dst_dir_fd=root)
                    pending.append(moved)
            finally:
                os.close(folder)
            os.rmdir(name, dir_fd=root)
    finally:
        os.close(root)
    top.rmdir()


def _enter(name: str, parent: int | None = None) -> int:
    """Open a directory and no link, whatever its mode."""
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder = os.open(name, flags, dir_fd=parent)
    except PermissionError:
        unread = os.open(name, flags | os.O_PATH, dir_fd=parent)
        try:
            Path(f"/proc/self/fd/{unread}").chmod(0o700)
        finally:
            os.close(unread)
        folder = os.open(name, flags, dir_fd=parent)
    if os.getuid() != 0:
        os.fchmod(folder, 0o700)
    return folder


def _unlink_files(folder: int) -> list[str]:
    """Remove all that is no directory; return the names of the directories."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=folder)
    return folders


def _statuses(folder: str) -> Iterator[tuple[os.stat_result, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # gone meanwhile
                yield entry.stat(follow_symlinks=False), entry.path


def _passwd(user: tuple[int, int]) -> str:
    lines = ["root:x:0:0:root:/root:/bin/sh"]
    if user[0] != 0:
        lines.append(f"repro:x:{user[0]}:{user[1]}:repro:/tmp:/bin/sh")
    lines.append("nobody:x:65534:65534:nobody:/nonexistent:/bin/sh")
    return "".join(f"{line}\n" for line in lines)


def owner_labels() -> dict[str, str]:
    """Labels that say which process something belongs to."""
    return {LABEL: str(this_process())}
