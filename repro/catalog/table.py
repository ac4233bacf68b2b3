"""Read a table of a card key by key; whatever is not right is said with file, key and remedy."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING, TypeVar

from repro.errors import CardError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_T = TypeVar("_T")
_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
_WORDS |= {list: "an array", dict: "a table"}


def read_table(file: Path) -> tuple[Table, bytes]:
    """Read a TOML file of a package; return its table, and its content.

    Raises
    ------
    CardError
        If it cannot be read.
    """
    name = f"{file.parent.name}/{file.name}"
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would be waited for
            raise CardError(name, "the file", "is no regular file")
        content = file.read_bytes()
        values = tomllib.loads(content.decode())
    except OSError as error:
        raise CardError(name, "the file", error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and TOMLDecodeError are
        raise CardError(name, "the file", f"is not TOML: {error}") from error
    return Table(name, "", values), content


class Table:
    """One table of a TOML file, from which keys are taken; `done` refuses what nobody took."""

    def __init__(self, file: str, prefix: str, values: object) -> None:
        if not isinstance(values, dict):
            raise CardError(file, prefix or "the file", f"must be a table, not {values!r}")
        self.file, self.prefix, self._values = file, prefix, dict(values)
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def need(self, key: str, kind: type[_T]) -> _T:
        """Take a key that must be there."""
        if key not in self._values:
            raise self.error(key, "is missing", f"add `{key} = …`, {_WORDS[kind]}")
        return self._take(key, kind)

    def get(self, key: str, kind: type[_T], default: _T) -> _T:
        """Take a key that may be there."""
        if key not in self._values:
            self._known.append(key)
            return default
        return self._take(key, kind)

    def strings(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Take an array of strings."""
        found = self.get(key, list, list(default))
        if not all(isinstance(item, str) for item in found):
            raise self.error(key, f"must be an array of strings, not {found!r}")
        return tuple(found)

    def table(self, key: str) -> Table:
        """Take a table, empty if it is not there."""
        return Table(self.file, self._path(key), self.get(key, dict, {}))

    def tables(self, key: str) -> Iterator[tuple[str, Table]]:
        """Take a table of tables."""
        for name, values in self.get(key, dict, {}).items():
            yield name, Table(self.file, f"{self._path(key)}.{name}", values)

    def array(self, key: str) -> Iterator[Table]:
        """Take an array of tables."""
        for index, values in enumerate(self.get(key, list, [])):
            yield Table(self.file, f"{self._path(key)}[{index}]", values)

    def rest(self, key: str) -> Mapping[str, object]:
        """Take a table as it is, for whoever knows what may stand in it."""
        return self.get(key, dict, {})

    def take(self, key: str) -> object:
        """Take a key of any kind, which must be there."""
        return self._take(key, object)

    def done(self) -> None:
        """Refuse every key that was not taken."""
        for key in self._values:
            hint = nearest(key, self._known).removeprefix("; ")
            raise self.error(key, "is not a key that may stand here", hint)

    def error(self, key: str, problem: str, remedy: str = "") -> CardError:
        """Make an error about one key."""
        return CardError(self.file, self._path(key), problem, remedy)

    def _take(self, key: str, kind: type[_T]) -> _T:
        value = self._values.pop(key)
        self._known.append(key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"must be {_WORDS[kind]}, not {value!r}")
        return value

    def _path(self, key: str) -> str:
        return ".".join(filter(None, (self.prefix, key)))
