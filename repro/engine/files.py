"""Files of the host that containers can read, as long as somebody needs them there."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import tarfile
from contextlib import suppress
from itertools import count
from pathlib import Path, PurePosixPath
from threading import Lock, local
from typing import IO, TYPE_CHECKING, Any

from repro.common.io import translated as file_errors
from repro.engine.client import translated
from repro.engine.context import entry
from repro.engine.exchange import bind, make_parent, owner_labels, remove_tree
from repro.engine.leftovers import sweep_once
from repro.errors import DataFileError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from repro.engine.client import Engine

    Refused: TypeAlias = Callable[[str], Exception]  # makes an error of a problem with a file

log = logging.getLogger(__name__)

INSIDE = "/files"  # where containers find them
LONGEST_NAME = 255  # bytes
LONGEST_ENDING = 16
CHUNK = 2**20
AT_ONCE = 64  # files, sent together

# What says that a file can be neither linked nor cloned from where it lies.
_COPY_INSTEAD = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EINVAL}
_COPY_INSTEAD |= {errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.ETXTBSY, errno.ENOENT}


class SharedFiles:
    """A directory that the containers of a local engine can read, and only read.

    Each file has a directory of its own there, so that two of one name do not meet. It is a link to
    the host's file where everybody may read that, else a copy; never the file's directory.

    Parameters
    ----------
    engine : Engine
        Whose containers shall read them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._parent: Path | None = None
        self._numbers = count()

    def mounts(self) -> list[dict[str, Any]]:
        """Say in the engine's words what containers have to mount."""
        return [bind(self._directory(), INSIDE, read_only=True)]

    def add(self, file: IO[bytes], name: str, refused: Refused) -> str:
        """Have an open file there, under its name; return its path in the containers.

        It is there when `settle` has returned. Nothing of it is left if it cannot be had there,
        which raises what `refused` makes of a problem with it.

        Raises
        ------
        DiskFull
            If the disk is.
        """
        number, name = str(next(self._numbers)), _safe(name)
        folder = self._directory() / number
        with file_errors(folder):
            folder.mkdir()
            folder.chmod(0o755)
        try:
            with file_errors(folder):
                _link_or_copy(file, folder / name)
        except BaseException as error:
            remove_tree(folder)
            if isinstance(error, DataFileError):
                raise refused(f"cannot be copied: {error.problem}") from error
            raise
        return f"{INSIDE}/{number}/{name}"

    def settle(self) -> None:
        """Wait until all that was added is there."""

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files that were added."""
        if self._parent is not None:
            for path in paths:
                with suppress(OSError):  # gone with its directory
                    remove_tree(self._parent / "files" / PurePosixPath(path).parts[2])

    def close(self) -> None:
        """Remove all of them."""
        parent, self._parent = self._parent, None
        if parent is not None:
            try:
                remove_tree(parent)
            except OSError as error:  # must not hide why we end; the next start tries again
                log.warning("could not remove %s: %s", parent, error)

    def _directory(self) -> Path:
        with self._lock:  # several threads may come with the first file
            if self._parent is None:
                sweep_once(self._engine)
                parent = make_parent()
                with file_errors(parent):
                    (parent / "files").mkdir()
                    (parent / "files").chmod(0o755)
                self._parent = parent
            return self._parent / "files"


class _Waiting(local):
    """What a thread wants to send, several files at once: what it added, and no other's."""

    def __init__(self) -> None:
        self.files: list[tuple[str, IO[bytes], Refused]] = []


class VolumeFiles:
    """The same for an engine that does not see this machine's files: a volume of its own.

    A container that is never started holds the volume, through which files go in. None can be
    removed that way, so what is not needed any more becomes an empty file.

    Parameters
    ----------
    engine : Engine
        Whose containers shall read them.
    image : str
        An image of that engine.
    """

    def __init__(self, engine: Engine, image: str) -> None:
        self._engine, self._image = engine, image
        self._lock = Lock()
        self._volume: str | None = None
        self._holder: str | None = None
        self._numbers = count()
        self._waiting = _Waiting()

    def mounts(self) -> list[dict[str, Any]]:
        """Say in the engine's words what containers have to mount."""
        return [{**self._mount(), "ReadOnly": True}]

    def add(self, file: IO[bytes], name: str, refused: Refused) -> str:
        """Have an open file there, under its name; return its path in the containers.

        It is there when `settle` has returned, which raises what `refused` makes of a problem with
        it.
        """
        path = f"{next(self._numbers)}/{_safe(name)}"
        again = os.fdopen(os.dup(file.fileno()), "rb", buffering=0)
        self._waiting.files.append((path, again, refused))
        if len(self._waiting.files) == AT_ONCE:
            self.settle()
        return f"{INSIDE}/{path}"

    def settle(self) -> None:
        """Send what was added by this thread; return when it is there."""
        waiting, self._waiting.files = self._waiting.files, []
        try:
            if waiting:
                self._put(_tar(waiting))
        finally:
            for _, file, _ in waiting:
                file.close()

    def remove(self, paths: Iterable[str]) -> None:
        """Empty files that were added."""
        names = {path.removeprefix(f"{INSIDE}/") for path in paths}
        unsent = [one for one in self._waiting.files if one[0] in names]
        for one in unsent:
            one[1].close()
            self._waiting.files.remove(one)
        names -= {path for path, _, _ in unsent}
        if names and self._holder is not None:
            with Path(os.devnull).open("rb") as nothing:
                self._put(_tar([(name, nothing, ValueError) for name in sorted(names)]))

    def close(self) -> None:
        """Remove all of them."""
        from docker.errors import APIError

        holder, volume, self._holder, self._volume = self._holder, self._volume, None, None
        try:
            with translated(self._engine.address):
                if holder is not None:
                    with suppress(APIError):
                        self._engine.api.remove_container(holder, v=True, force=True)
                if volume is not None:
                    with suppress(APIError):
                        self._engine.api.remove_volume(volume, force=True)
        except EngineError as error:  # must not hide why we end; the next start tries again
            log.warning("could not remove the volume %s: %s", volume, error)

    def _mount(self) -> dict[str, Any]:
        with self._lock:
            if self._volume is None:
                sweep_once(self._engine)
                with translated(self._engine.address):
                    kept = {"o": "uid=0,gid=0"} if self._engine.podman else None
                    made = self._engine.api.create_volume(driver_opts=kept, labels=owner_labels())
                    self._volume = str(made["Name"])
        return {"Type": "volume", "Source": self._volume, "Target": INSIDE}

    def _put(self, tar: Iterator[bytes]) -> None:
        api, mount = self._engine.api, self._mount()
        with self._lock, translated(self._engine.address):
            if self._holder is None:
                config = {"Image": self._image, "Cmd": ["true"], "Labels": owner_labels()}
                config["HostConfig"] = {"Mounts": [mount], "NetworkMode": "none"}
                self._holder = str(api.create_container_from_config(config)["Id"])
            api.put_archive(self._holder, INSIDE, tar)


Files = SharedFiles | VolumeFiles


def files_for(engine: Engine, image: str) -> Files:
    """Make what an engine can read files from."""
    return SharedFiles(engine) if engine.local else VolumeFiles(engine, image)


def _link_or_copy(file: IO[bytes], target: Path) -> None:
    """Have a file at another place as well; a link where that changes nobody's rights."""
    if os.fstat(file.fileno()).st_mode & stat.S_IROTH:
        try:
            # Python follows the link only where it is given a directory, which then plays no part.
            opened = file.fileno()
            os.link(f"/proc/self/fd/{opened}", target, src_dir_fd=opened, follow_symlinks=True)
        except OSError as error:
            if error.errno not in _COPY_INSTEAD:
                raise
        else:
            return
    with target.open("xb") as copy:  # buffered: a raw file may take less than it is given
        os.fchmod(copy.fileno(), 0o644)
        try:
            while os.copy_file_range(file.fileno(), copy.fileno(), 2**30):
                pass
        except OSError as error:
            if error.errno not in _COPY_INSTEAD:
                raise
        shutil.copyfileobj(file, copy, CHUNK)  # also what has no size, and still bytes


def _safe(name: str) -> str:
    """Keep a name that every file system can hold; of another one keep how it ends."""
    try:
        if 0 < len(name.encode()) <= LONGEST_NAME and name not in {".", ".."}:
            return name
    except UnicodeEncodeError:  # bytes that are no UTF-8
        pass
    ending = os.path.splitext(name)[1]  # noqa: PTH122  the name of no file
    return f"file{ending if ending.isascii() and len(ending) <= LONGEST_ENDING else ''}"


def _pieces(file: IO[bytes], size: int, refused: Refused) -> Iterator[bytes]:
    """Yield so many bytes of a file."""
    try:
        if size == 0 and file.read(1):
            raise refused("does not say how long it is, as files of /proc do not")
        while size > 0:
            piece = file.read(min(CHUNK, size))
            if not piece:
                raise refused("became shorter while it was read")
            size -= len(piece)
            yield piece
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}") from error


def _tar(files: Iterable[tuple[str, IO[bytes], Refused]]) -> Iterator[bytes]:
    """Write files, each in a directory of its own, as a tar."""
    for path, file, refused in files:
        size = os.fstat(file.fileno()).st_size
        yield entry(path.partition("/")[0], folder=True).tobuf(tarfile.PAX_FORMAT)
        about = entry(path)
        about.size = size
        yield about.tobuf(tarfile.PAX_FORMAT)
        yield from _pieces(file, size, refused)
        yield bytes(-size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
