"""What an image is built from: a folder, as a tar that is the same everywhere, and its hash."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from repro.common.text import printable
from repro.common.unfinished import UNFINISHED
from repro.errors import BuildError, DiskFull

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTEXT_LABEL = "repro.context"  # the digest of what an image was built from

# Beside the image, not in it: changing these needs no new image.
NOT_CONTEXT = (
    "model.toml",
    "Readme.md",
    "examples.jsonl",
    "examples",  # the files that its rows name
    "claims",
    "ledger.json",
    "image.lock",
    UNFINISHED,  # one of these that is being written, or was when its process was killed
    "tests",
    "__init__.py",  # of a package that is a Python package as well
    "model.py",
    "py.typed",
    ".dockerignore",
    "**/__pycache__",
    "**/*.pyc",
)


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """The files that a build sees, and what else decides its result.

    Parameters
    ----------
    root : Path
        The folder.
    dockerfile : str
        The Dockerfile's path in it.
    excluded : tuple of str
        Patterns, as in ``.dockerignore``, whose entries count too.
    extra : mapping
        Whatever else the result depends on, as JSON.
    weights : mapping of str to str
        Files that are not in the folder: their names, and their SHA-256.
    fetched : mapping of str to Path
        Where those files lie; the digest needs none of them.
    """

    root: Path
    dockerfile: str = "Dockerfile"
    excluded: tuple[str, ...] = NOT_CONTEXT
    extra: Mapping[str, object] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    fetched: Mapping[str, Path] = field(default_factory=dict)

    def files(self) -> list[tuple[str, Path, bool]]:
        """List (name, path, executable), sorted by name.

        Raises
        ------
        BuildError
            If one is neither a file nor a directory: a wheel could not carry it, so its image would
            differ. Or if its name is not UTF-8, or weights would take its place.
        """
        from docker.utils.build import exclude_paths

        patterns = [*self.excluded, *self._ignored()]
        found = []
        for name in sorted(exclude_paths(str(self.root), patterns, self.dockerfile)):
            path = self.root / name
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode) or name == ".dockerignore":  # docker-py never leaves that one out
                continue
            if not stat.S_ISREG(mode):
                problem = "it is neither a file nor a directory; put a copy there"
                raise BuildError(str(self.root), name, problem)
            if not _is_unicode(name):
                problem = "its name is not UTF-8; rename it"
                raise BuildError(str(self.root), printable(name), problem)
            found.append((Path(name).as_posix(), path, bool(mode & stat.S_IXUSR)))
            here = f"{found[-1][0]}/"
            if any(here.startswith(f"{w}/") or w.startswith(here) for w in self.weights):
                problem = "it stands where weights belong; remove it"
                raise BuildError(str(self.root), name, problem)
        return found

    def digest(self) -> str:
        """Hash names, contents, executable bits, the Dockerfile used and `extra` (SHA-256, hex)."""
        with self._readable():
            sums = [(name, False, sha256) for name, sha256 in self.weights.items()]
            for name, path, executable in self.files():
                with path.open("rb") as file:
                    sums.append((name, executable, _sha256(file)))
        return self._total(sums)

    def _total(self, sums: list[tuple[str, bool, str]]) -> str:
        total = hashlib.sha256()
        for name, executable, content in sorted(sums):
            total.update(f"{name}\0{int(executable)}\0{content}\n".encode())
        rest = {"dockerfile": self.dockerfile, **self.extra}
        total.update(json.dumps(rest, sort_keys=True).encode())
        return total.hexdigest()

    def text(self) -> str:
        """Read the Dockerfile.

        Raises
        ------
        BuildError
            If there is none, or it is not UTF-8.
        """
        return self._text(self.dockerfile)

    def _text(self, name: str) -> str:
        with self._readable():
            if stat.S_ISFIFO((self.root / name).stat().st_mode):  # it would be waited for
                raise BuildError(str(self.root), name, "it is no file; put one there")
            content = (self.root / name).read_bytes()
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            problem = f"{name}, line {line}: is not UTF-8; save it as that"
            raise BuildError(str(self.root), "", problem) from error

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFull(tempfile.gettempdir()) from error
            problem = f"{error.filename or 'a file'}: {error.strerror or error}"
            raise BuildError(str(self.root), "", problem) from error

    def write_tar(self, target: IO[bytes], labels: Mapping[str, str] | None = None) -> str:
        """Write the files as a tar that depends on nothing else: no owner, no time, two modes.

        The labels are one more step at the end of the Dockerfile.

        Returns
        -------
        str
            The digest of what was written, should the files have changed since `digest()`.
        """
        with self._readable():
            return self._total(self._write(target, labels or {}))

    def _write(self, target: IO[bytes], labels: Mapping[str, str]) -> list[tuple[str, bool, str]]:
        sums = []
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
            folders: set[str] = set()
            weights = [(name, self.fetched[name], False) for name in self.weights]
            for name, path, executable in sorted([*self.files(), *weights]):
                for parent in reversed(Path(name).parents[:-1]):
                    if parent.as_posix() not in folders:
                        folders.add(parent.as_posix())
                        tar.addfile(entry(parent.as_posix(), folder=True))
                if name == self.dockerfile:
                    content = path.read_bytes()
                    add_bytes(tar, name, content + _label_step(labels))
                    sums.append((name, executable, hashlib.sha256(content).hexdigest()))
                    continue
                with path.open("rb") as file:
                    info = entry(name, executable=executable)
                    info.size = os.fstat(file.fileno()).st_size
                    hashed = _Hashed(file)
                    tar.addfile(info, hashed)
                    sums.append((name, executable, hashed.digest.hexdigest()))
                if self.weights.get(name, sums[-1][-1]) != sums[-1][-1]:
                    problem = f"{path} is not the file whose SHA-256 its name says; remove it"
                    raise BuildError(str(self.root), name, problem)
        return sums

    def _ignored(self) -> list[str]:
        if not (self.root / ".dockerignore").is_file():
            return []
        lines = (line.strip() for line in self._text(".dockerignore").splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def entry(name: str, *, folder: bool = False, executable: bool = False) -> tarfile.TarInfo:
    """Make a tar entry that says nothing of who made it and when."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    info.mode = 0o755 if folder or executable else 0o644
    return info


def add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file that exists in memory alone."""
    info = entry(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _label_step(labels: Mapping[str, str]) -> bytes:
    """Write all labels as one step; given to the engine apart, each would be a step of its own."""
    if not labels:
        return b""
    pairs = (
        json.dumps(key) + "=" + json.dumps(" ".join(value.split()), ensure_ascii=False)
        for key, value in sorted(labels.items())
    )
    return ("\nLABEL " + " ".join(pairs).replace("$", "\\$") + "\n").encode()


class _Hashed(io.RawIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(2**20):
        digest.update(piece)
    return digest.hexdigest()
