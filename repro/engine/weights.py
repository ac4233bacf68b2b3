"""Fetch weights that live elsewhere into the cache: once, resumed, and checked by their hash.

A file is kept under its SHA-256. What has come of it so far stands beside it as `….part`, which the
next try goes on with, whoever sends the rest: in the end the hash decides.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import socket
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from repro.catalog.places import cache_folder
from repro.common.config import read_config
from repro.common.sizes import format_bytes
from repro.common.text import printable
from repro.engine.lock import one_at_a_time
from repro.errors import ConfigurationError, DiskFull, EngineError, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from repro.catalog.weights import Weights

    Report = Callable[[str], None]

CONNECT = 15.0  # seconds that a server has to take a connection
SILENCE = 60.0  # seconds that a server may send nothing
PAUSES = (1.0, 3.0, 9.0)  # seconds before another try, as long as none brings anything
TELL = 5.0  # seconds between two words on how far it is
CHUNK = 2**14  # bytes; so much is lost where a server cuts off

_MORE_SPACE = "free some, or name another folder (REPRO_CACHE)"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses of a server that may recover


def weights_folder() -> Path:
    """Name the folder of the files, whether it exists or not.

    Raises
    ------
    ConfigurationError
        If this user has no folder for what can be made again.
    """
    cache = cache_folder()
    if cache is None:
        raise ConfigurationError("there is no folder for weights; name one (REPRO_CACHE)")
    return cache / "weights"


def fetch(weights: Weights, report: Report | None = None) -> Path:
    """Have a file in the cache; return its path.

    What is there already is taken without a look at the network. Otherwise the user's mirror is
    asked, the card's address, and the card's mirrors. What another process fetches is waited for.

    Raises
    ------
    WeightsUnavailable
        If none of them has it; says what each gave instead.
    ConfigurationError
        If the only places need a library that is not installed.
    DiskFull
        If there is no space for it.
    """
    report = report or (lambda _line: None)
    target = weights_folder() / weights.sha256
    with _told(target):
        if _is_there(target, weights):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(str(target), report, "fetches"):
        if not _is_there(target, weights):
            _fetch(weights, target, report)
    return target


def fetched() -> list[Path]:
    """List the files in the cache, those that have begun to come included."""
    found = weights_folder().glob("**/*")
    return sorted(one for one in found if one.is_file() and not one.is_symlink())


def _is_there(target: Path, weights: Weights) -> bool:
    """Whether the file is there; its hash is looked at when a build reads it."""
    return target.is_file() and target.stat().st_size == weights.bytes


def _fetch(weights: Weights, target: Path, report: Report) -> None:
    problems: list[str] = []
    missing: list[_NotInstalled] = []
    for source in _sources(weights):
        report(f"fetching {weights.path}, {format_bytes(weights.bytes)}, from {source}")
        try:
            with _told(target), _Part(target, weights, report) as part:
                _receive(source, part)
        except _Failed as error:
            report(f"{source}: {error}")
            problems.append(f"{source}: {printable(str(error))}")
            missing += [error] if isinstance(error, _NotInstalled) else []
        else:
            return
    if len(missing) == len(problems):
        raise ConfigurationError(f"{weights.path} cannot be fetched: {'; '.join(problems)}")
    raise WeightsUnavailable(weights.path, weights.sha256, problems, str(target))


def _sources(weights: Weights) -> Iterator[str]:
    mirror = os.environ.get("REPRO_WEIGHTS_MIRROR") or read_config().weights_mirror
    if mirror:
        yield f"{mirror.rstrip('/')}/{weights.sha256}"
    yield from (weights.url, *weights.mirrors)


class _Failed(Exception):
    """A place does not give what it should."""


class _NotInstalled(_Failed):
    """A library that it takes is not there."""


class _Passing(_Failed):
    """The same place may give it at another try."""


class _Part:
    """What has come of a file so far; a context manager, which keeps it for the next try."""

    def __init__(self, target: Path, weights: Weights, report: Report) -> None:
        self.target, self.weights = target, weights
        self.path = target.with_name(f"{target.name}.part")
        self.size = 0
        self.joined = False  # whether it was put together from several answers
        self._renewed = False
        self._report = report
        self._told = time.monotonic()
        self._file: IO[bytes] = self.path.open("ab+", buffering=0)
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self.size:
            self.path.unlink(missing_ok=True)

    def take_over(self) -> None:
        """Read what another try has left, and see whether there is space for the rest."""
        self._file.seek(0)
        while piece := self._file.read(CHUNK):
            self._digest.update(piece)
            self.size += len(piece)
        self.joined = self.size > 0
        if self.size > self.weights.bytes:
            self.clear()
        rest = self.weights.bytes - self.size
        if shutil.disk_usage(self.path.parent).free < rest:
            needed = f"{self.weights.path} needs {format_bytes(rest)}"
            raise DiskFull(str(self.path), f"{needed}; {_MORE_SPACE}")

    def clear(self) -> None:
        """Begin anew."""
        self._file.truncate(0)
        self._digest = hashlib.sha256()
        self.size, self.joined = 0, False

    def write(self, piece: bytes) -> int:
        """Take some more, and never more than the whole."""
        if self.size + len(piece) > self.weights.bytes:
            self.clear()
            raise _Failed(f"it sends more than the card's {self.weights.bytes:,} bytes")
        rest = memoryview(piece)
        while rest:  # a disk that is nearly full takes a part
            rest = rest[self._file.write(rest) :]
        self._digest.update(piece)
        self.size += len(piece)
        if time.monotonic() > self._told + TELL:
            self._told = time.monotonic()
            done, whole = format_bytes(self.size), format_bytes(self.weights.bytes)
            self._report(f"{self.weights.path}: {done} of {whole}")
        return len(piece)

    def finish(self) -> None:
        """Keep the file under its hash, if it is right."""
        if self.size < self.weights.bytes:
            raise _Passing(f"it ends after {self.size:,} of {self.weights.bytes:,} bytes")
        found = self._digest.hexdigest()
        if found != self.weights.sha256:
            again, self._renewed = self.joined and not self._renewed, True
            self.clear()
            raise (_Passing if again else _Failed)(f"it is another file, with SHA-256 {found}")
        os.fsync(self._file.fileno())
        self.path.chmod(0o644)
        self.path.replace(self.target)


def _receive(source: str, part: _Part) -> None:
    """Have the whole of a file from one place, by as many tries as bring something."""
    one_try = _way(source)
    part.take_over()
    failures = 0
    while True:
        before = part.size
        try:
            if part.size < part.weights.bytes:
                one_try(part)
            part.finish()
        except _Passing:
            failures = 0 if part.size > before else failures + 1
            if failures > len(PAUSES):
                raise
            time.sleep(PAUSES[max(failures - 1, 0)])
        else:
            return


def _way(source: str) -> Callable[[_Part], None]:
    scheme, _, rest = source.partition("://")
    if scheme == "gdrive":
        return lambda part: _from_drive(rest, part)
    if scheme == "hf":
        return lambda part: _from_hub(rest, part)
    if scheme in {"http", "https"}:
        return lambda part: _from_server(source, part)
    return lambda part: _from_file(Path(source.removeprefix("file://")).expanduser(), part)


def _from_server(url: str, part: _Part) -> None:
    """Fetch the rest of a file from a web server, or all of it from one that knows no ranges."""
    import requests

    headers = {"Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
    certificates = os.environ.get("REPRO_CA_BUNDLE") or read_config().ca_bundle or True
    limits = (CONNECT, SILENCE)
    with (
        _asking(),
        requests.get(
            url, headers=headers, stream=True, timeout=limits, verify=certificates
        ) as response,
    ):
        _check(response, part)
        for piece in response.iter_content(CHUNK):
            part.write(piece)


@contextmanager
def _asking() -> Iterator[None]:
    """Tell what the matter is with a server, and whether it may pass."""
    from requests import exceptions

    try:
        yield
    except exceptions.SSLError as error:
        raise _Failed(f"its certificate is not accepted: {_cause(error)}") from error
    except exceptions.Timeout as error:
        raise _Passing(f"no answer: {_cause(error)}") from error
    except (exceptions.ConnectionError, exceptions.ChunkedEncodingError) as error:
        raise (_Failed if _is_unknown(error) else _Passing)(_cause(error)) from error
    except exceptions.RequestException as error:
        raise _Failed(_cause(error)) from error
    except OSError as error:
        if error.errno is not None:  # it is the file's
            raise
        raise ConfigurationError(str(error)) from error  # no certificates where they should be


def _check(response: Any, part: _Part) -> None:
    """Look at what a server says before it sends."""
    status = response.status_code
    if status == 416:  # what is there is more than the server has
        part.clear()
        raise _Passing("it has less than was fetched before")
    if status not in {200, 206}:
        problem = f"it answers {status} {response.reason or ''}".rstrip()
        raise (_Passing if status in _MAY_PASS else _Failed)(problem)
    start = 0
    if status == 206:
        found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        start = int(found[1]) if found else -1
    length = response.headers.get("Content-Length", "")
    if start >= 0 and length.isdecimal() and start + int(length) != part.weights.bytes:
        said = start + int(length)
        raise _Failed(f"its file has {said:,} bytes, the card's {part.weights.bytes:,}")
    if start != part.size:
        part.clear()
    part.joined = part.size > 0
    if start not in {0, part.size}:
        raise _Passing("it sends another part than was asked for")


def _reason(error: BaseException) -> Any:
    """Find what lies under an error of `requests`."""
    inner: Any = error.args[0] if error.args else error
    return getattr(inner, "reason", inner)


def _cause(error: BaseException) -> str:
    """Say in a few words what lies under an error of `requests`."""
    reason = _reason(error)
    first = next(iter(getattr(reason, "args", ())), reason)
    return re.sub(r"^\w+\(.*?\): ", "", str(first)) or type(error).__name__


def _is_unknown(error: BaseException) -> bool:
    """Whether there is no host of that name, which will not pass."""
    cause = getattr(_reason(error), "__cause__", None)
    return isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME


def _from_file(path: Path, part: _Part) -> None:
    """Copy a file of a folder that the user has named as a mirror."""
    part.clear()
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                part.write(piece)
    except OSError as error:
        if error.filename is None:  # it is not the one that is read
            raise
        raise _Failed(error.strerror or str(error)) from None
    if (size := part.size) < part.weights.bytes:
        part.clear()
        raise _Failed(f"it has {size:,} bytes, the card's {part.weights.bytes:,}")


def _from_drive(file_id: str, part: _Part) -> None:
    """Fetch a file from Google Drive, always all of it."""
    gdown = _library("gdown", "gdrive")
    part.clear()
    with _foreign():
        gdown.download(id=file_id, output=part, quiet=True, use_cookies=False)


def _from_hub(rest: str, part: _Part) -> None:
    """Fetch a file from a model hub; its client resumes by itself, in a folder of its own."""
    hub = _library("huggingface_hub", "hub")
    place, _, commit = rest.rpartition("@")
    owner, name, file = place.split("/", 2)
    folder = part.target.with_name(f"{part.target.name}.hub")
    with _foreign():
        got = hub.hf_hub_download(f"{owner}/{name}", file, revision=commit, cache_dir=folder)
    _from_file(Path(got), part)
    shutil.rmtree(folder, ignore_errors=True)


def _library(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        remedy = f"pip install 'repro-models[{extra}]'"
        raise _NotInstalled(f"it takes the library {name} ({remedy})") from None


@contextmanager
def _foreign() -> Iterator[None]:
    """Tell what a library of others raises, whatever that is."""
    try:
        yield
    except _Failed:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        lines = [*filter(None, map(str.strip, str(error).splitlines())), type(error).__name__]
        raise _Failed(lines[0].rstrip(".")) from error


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Tell what is the matter with the cache, which is no matter of a place's."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(str(target), _MORE_SPACE) from None
        problem = f"{error.filename or target}: {error.strerror or error}"
        raise EngineError(f"{problem}; name another folder (REPRO_CACHE)") from error
