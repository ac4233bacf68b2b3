"""Files as fields of an instance, and as parts of a prediction."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import (
    IO,
    TYPE_CHECKING,
    Annotated,
    Any,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import is_typeddict

from repro.common.io import whole_file
from repro.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from repro.common.jsonlines import JSON

HOST, IMAGE = "host", "image"  # where the path of a file that was checked leads

_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9]{1,16}){0,2}")
_NO_FILE = {
    stat.S_IFDIR: "is a directory",
    stat.S_IFIFO: "is a FIFO",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}


@dataclass(frozen=True)
class Carried:
    """Marks a type as the path of a file, which is carried to where the model runs."""

    kind: str


if TYPE_CHECKING:
    File = str | os.PathLike[str]
    Image = str | os.PathLike[str]
    Audio = str | os.PathLike[str]
else:
    File = Annotated[str, Carried("File")]
    Image = Annotated[str, Carried("Image")]
    Audio = Annotated[str, Carried("Audio")]


class InImage(str):
    """The path of a file that is in the image, as the rows of its data sets have it."""

    __slots__ = ()


class Content(bytes):
    """A file that a model has made: its bytes.

    Attributes
    ----------
    suffix : str
        Of the name that the file wants to have, such as ``".wav"``.
    """

    suffix: str

    def __new__(cls, data: bytes, suffix: str = "") -> Self:
        """Make one of bytes."""
        made = super().__new__(cls, data)
        made.suffix = suffix
        return made

    def __reduce__(self) -> tuple[type[Content], tuple[bytes, str]]:
        return Content, (bytes(self), self.suffix)

    def __repr__(self) -> str:
        return f"<{len(self):,} bytes of a {self.suffix or 'file'}>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file, which appears whole or not at all; return its path."""
        with whole_file(os.fspath(path)) as file:
            file.write(self)
        return Path(path)

    def summary(self) -> dict[str, JSON]:
        """Describe it as JSON, so that it can be compared: its size, its SHA-256, its suffix."""
        digest = hashlib.sha256(self).hexdigest()
        return {"bytes": len(self), "sha256": digest, "suffix": self.suffix}

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)


# -- files that go in ------------------------------------------------------------------------------


def has_files(kind: Any) -> bool:
    """Whether a value of the type is the path of a file, or has such paths in it.

    Raises
    ------
    ConfigurationError
        If they are where they are not looked for: a file is a field, which may be optional, or
        one of a list.
    """
    if _marker(kind) is not None:
        return True
    origin, parts = _origin(kind), get_args(kind)
    if origin is Annotated:
        return has_files(parts[0])
    if is_typeddict(kind):
        parts = tuple(get_type_hints(kind, include_extras=True).values())
    found = any(map(has_files, parts))
    if found and origin not in {Union, list}:
        raise ConfigurationError("a file can be a field, an optional one, or one of a list")
    return found


def kind_of(kind: Any) -> str:
    """Name what kind of file a type is, if it is one."""
    marker = _marker(kind)
    return marker.kind if marker else ""


def mapped(kind: Any, value: Any, change: Callable[[Any], Any]) -> Any:
    """Change each path in a value of the type."""
    if _marker(kind) is not None:
        return change(value) if isinstance(value, str | os.PathLike) else value
    if not has_files(kind):
        return value
    if _origin(kind) is Annotated:
        return mapped(get_args(kind)[0], value, change)
    if _origin(kind) is list:
        (inner,) = get_args(kind)
        return [mapped(inner, v, change) for v in value] if isinstance(value, list) else value
    for alternative in get_args(kind):  # of a union: the one that has files and fits
        fits = isinstance(value, list) == (_origin(alternative) is list)
        if has_files(alternative) and fits:
            return mapped(alternative, value, change)
    return value


def packed(path: str) -> str:
    """Write the name of any file as a text that JSON can hold; some are no UTF-8."""
    return os.fsencode(path).decode("latin-1")


def unpacked(text: str) -> str:
    """Read what `packed` has written."""
    return os.fsdecode(text.encode("latin-1"))


@contextmanager
def opened(path: str, within: str | None) -> Iterator[IO[bytes]]:
    """Open a file that an instance names; raise ValueError that says why it cannot or may not be.

    What is looked at is what was opened, whatever links are exchanged meanwhile. `within` has no
    links in it.
    """
    if not path:
        raise ValueError("is empty, and is to name a file")
    if "\0" in path:
        raise ValueError("has a NUL character, which no name of a file has")
    try:
        _check_is_file(path, os.stat(path))  # noqa: PTH116  a device may do something when opened
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, UnicodeEncodeError) as error:
        problem = getattr(error, "strerror", error)
        raise ValueError(f"names no file that can be read: {path}: {problem}") from None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        _check_is_file(path, os.fstat(descriptor))
        if within is not None:
            real = Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
            if not real.is_relative_to(within):
                raise ValueError(f"names a file outside {within}: {path}")
        yield file


def _check_is_file(path: str, status: os.stat_result) -> None:
    if told := _NO_FILE.get(stat.S_IFMT(status.st_mode)):
        raise ValueError(f"is to name a file: {path} {told}")


# -- files that come out ---------------------------------------------------------------------------


def content_reader(kind: Any) -> Callable[[Any], Any] | None:
    """Make what turns the files in a prediction of the type into `Content`; None if it has none.

    It raises ValueError about what is no file.
    """
    if kind is Content:
        return _read_content
    origin, arguments = _origin(kind), get_args(kind)
    if origin is Annotated:
        return content_reader(arguments[0])
    if is_typeddict(kind):
        return _reader_of_object(kind)
    inner = next((reader for reader in map(content_reader, arguments) if reader is not None), None)
    if inner is None or origin is list:
        return inner and _reader_of_list(inner)
    if origin is Union:
        return lambda value: None if value is None else inner(value)
    raise ConfigurationError("a Content can be in an object or a list, and be optional")


def _reader_of_list(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: [inner(one) for one in value] if isinstance(value, list) else value


def _reader_of_object(kind: Any) -> Callable[[Any], Any] | None:
    hints = get_type_hints(kind, include_extras=True)
    readers = {name: r for name in hints if (r := content_reader(hints[name])) is not None}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: readers[k](one) if k in readers else one for k, one in value.items()}

    return read if readers else None


def _read_content(value: Any) -> Content:
    if not isinstance(value, dict) or set(value) != {"content", "suffix"}:
        raise ValueError("has no file where one is to be")
    data, suffix = value["content"], value["suffix"]
    if not isinstance(suffix, str) or not _SUFFIX.fullmatch(suffix):
        raise ValueError(f"has a file with the suffix {str(suffix)[:40]!r}, which is none")
    try:
        return Content(base64.b64decode(data, validate=True), suffix)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(f"has a file that is not in base64: {error}") from None


def contents_in(value: Any, where: str = "") -> Iterator[tuple[str, Content]]:
    """Yield the files in a prediction, and where they are in it, in dotted names."""
    if isinstance(value, Content):
        yield where, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from contents_in(inner, f"{where}.{key}" if where else str(key))


def with_contents(value: Any, change: Callable[[str, Content], JSON], where: str = "") -> Any:
    """Copy a prediction with something else in the place of each file."""
    if isinstance(value, Content):
        return change(where, value)
    if isinstance(value, dict):
        return {
            k: with_contents(one, change, f"{where}.{k}" if where else str(k))
            for k, one in value.items()
        }
    if isinstance(value, list):
        return [
            with_contents(one, change, f"{where}.{i}" if where else str(i))
            for i, one in enumerate(value)
        ]
    return value


def plain(value: Any) -> Any:
    """Make JSON of a prediction: each file is described."""
    return with_contents(value, lambda _, content: content.summary())


def _marker(kind: Any) -> Carried | None:
    if get_origin(kind) is not Annotated:
        return None
    return next((one for one in get_args(kind)[1:] if isinstance(one, Carried)), None)


def _origin(kind: Any) -> Any:
    origin = get_origin(kind)
    return Union if origin is UnionType else origin


__all__ = ["Audio", "Content", "File", "Image", "InImage"]
