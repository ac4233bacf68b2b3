"""Read and write files of texts and of JSON lines.

They are the ancestor's helpers, with their defects mended.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from repro.common.jsonlines import JSON, MAX_ROW, JSONRuleError, decode, encode
from repro.common.unfinished import unfinished
from repro.errors import DataFileError, DiskFull

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repro.common.util import TextType

_DECODER = json.JSONDecoder()


def read_jsonl_file(
    file_path: str,
    single_line: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
) -> list[Any]:
    """Read a file of JSON lines; blank lines are skipped, where the ancestor's reader failed.

    Parameters
    ----------
    file_path : str
        The file's path.
    single_line : bool
        The values follow one another without being on lines of their own; white space between and
        after them is fine.

    Returns
    -------
    list of JSON
        The values, in their order.

    Raises
    ------
    DataFileError
        If the file cannot be read, or something in it is not JSON.
    """
    try:
        with Path(file_path).open("rb") as file:
            if single_line:
                return list(_read_values(file.read(), file_path))
            return list(read_json_lines(file, file_path))
    except OSError as error:
        raise DataFileError(file_path, error.strerror or str(error)) from error


def lines_of(file: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a binary file; of one beyond the limit of a row only so much is read."""
    if not hasattr(file, "readline"):
        yield from file
        return
    while line := file.readline(MAX_ROW + 2):
        yield line


def read_json_lines(file: Iterable[bytes], name: str) -> Iterator[JSON]:
    """Decode the lines of a binary file as they are read; blank lines are skipped."""
    for number, line in enumerate(lines_of(file), start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")  # noqa: PLW2901  a byte order mark is no data
        if not line.strip():
            continue
        try:
            yield decode(line)
        except JSONRuleError as error:
            raise DataFileError(name, str(error), number) from None


def _read_values(data: bytes, name: str) -> Iterator[JSON]:
    """Decode values that follow one another."""
    try:
        text = data.decode("utf-8-sig")
        end = _end_of_space(text, 0)
        while (start := end) < len(text):
            try:
                _, end = _DECODER.raw_decode(text, start)
            except (ValueError, RecursionError):
                end = len(text)  # `decode` says what is wrong there
            yield decode(text[start:end].encode())
            end = _end_of_space(text, end)
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise DataFileError(name, problem) from None
    except JSONRuleError as error:
        raise DataFileError(name, str(error)) from None


def _end_of_space(text: str, start: int) -> int:
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    return start


def write_to_text_file(
    items: Iterable[TextType], file_path: str, separator: str | None = None
) -> None:
    """Write one text a line; the file appears whole or not at all, its folders are made.

    Parameters
    ----------
    items : iterable of str or list of str
        The texts; the parts of a list are joined by `separator`.
    file_path : str
        The file's path.
    separator : str, optional
        What to put between parts: a space by default. With a line break as separator, the file
        is one text with a part on each line, and so takes one text only.

    Raises
    ------
    DataFileError
        If a text has a line break, or is none; names its line. In the ancestor such a text became
        several, and all that followed were answered as another's.
    """
    lines_are_parts = _breaks(separator or "")
    with _made(file_path) as file:
        for index, item in enumerate(items):
            text = _flattened(item, separator, file_path, index)
            if lines_are_parts and index:
                problem = "a second text, where the separator makes lines the parts of one"
                raise DataFileError(file_path, problem, index + 1)
            if not lines_are_parts and _breaks(text):
                raise DataFileError(file_path, _broken(text), index + 1)
            file.write(_encoded(text, file_path, index) + b"\n")


def write_to_jsonl_file(
    items: Iterable[object],
    key: str,
    file_path: str,
    flatten: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
    separator: str | None = None,
) -> None:
    """Write one object ``{key: item}`` a line; the file appears whole or not at all.

    Parameters
    ----------
    items : iterable of JSON
        The values.
    key : str
        The one key of each object.
    file_path : str
        The file's path; its folders are made.
    flatten : bool
        Join the parts of texts that are lists.
    separator : str, optional
        What to put between parts: a space by default.

    Raises
    ------
    DataFileError
        If an item is not JSON, or not a text where texts are joined; names its line.
    """
    rows = (
        {key: _flattened(item, separator, file_path, index) if flatten else item}
        for index, item in enumerate(items)
    )
    write_json_lines(rows, file_path)


def write_json_lines(items: Iterable[object], file_path: str, *, allow_nan: bool = True) -> None:
    """Write one JSON value a line; the file appears whole or not at all, its folders are made."""
    with _made(file_path) as file:
        for index, item in enumerate(items):
            try:
                file.write(encode(item, ascii_only=False, allow_nan=allow_nan) + b"\n")
            except JSONRuleError as error:
                raise DataFileError(file_path, str(error), index + 1) from None


@contextmanager
def _made(file_path: str) -> Iterator[IO[bytes]]:
    """Open a file that appears whole, in a folder that may have to be made."""
    with translated(file_path):
        Path(file_path).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file_path) as file:
        yield file


def _flattened(item: Any, separator: str | None, file_path: str, index: int) -> str:
    from repro.common.util import flatten

    parts = item if isinstance(item, list | tuple) else [item]
    for part in parts:
        if not isinstance(part, str):
            problem = f"{type(part).__name__} where a text is expected"
            raise DataFileError(file_path, problem, index + 1)
    return flatten(item, separator)


def _breaks(text: str) -> bool:
    """Whether a reader may see more than one line: Python's `splitlines` knows eleven breaks."""
    return text.splitlines() not in ([text], [])


def _broken(text: str) -> str:
    place = len(text.splitlines()[0])
    return (
        f"the text has a line break (U+{ord(text[place]):04X} at character {place}), "
        "and the file holds one text a line; replace it, or write JSON lines"
    )


def _encoded(text: str, file_path: str, index: int) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        problem = f"has a lone surrogate at character {error.start}, which UTF-8 cannot hold"
        raise DataFileError(file_path, problem, index + 1) from None


@contextmanager
def whole_file(path: Path | str) -> Iterator[IO[bytes]]:
    """Open a file for writing; it appears only when the block ends without an error.

    Raises
    ------
    DataFileError
        If it cannot be written where it should be; names the path as it was given.
    DiskFull
        If the disk is full; what was there before stays.
    """
    try:
        target = Path(path).resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise DataFileError(str(path), "its links lead nowhere") from error
    special = target.exists() and not target.is_file() and not target.is_dir()
    if special or str(Path(path).absolute()).startswith(("/dev/", "/proc/")):  # a device, a pipe
        with translated(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
            with os.fdopen(descriptor, "wb") as file:
                yield file
        return
    with translated(path), unfinished(target, _new_file, Path.unlink) as temporary:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), _mode_of(target))
        temporary.replace(target)


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


@contextmanager
def translated(path: Path | str) -> Iterator[None]:
    """Turn an error of the file system into one of ours; errors of ours pass."""
    try:
        yield
    except BrokenPipeError:  # whoever read has seen enough
        raise
    except OSError as error:
        import errno

        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(str(path)) from error
        raise DataFileError(str(path), error.strerror or str(error)) from error


def _mode_of(path: Path) -> int:
    """Tell the mode a new file would get there, or that of the file that is replaced."""
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
