"""Which rows of the input are predicted, and under which names their fields are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from repro.errors import ConfigurationError, InstanceError
from repro.models.schema import INSTANCE_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Row = dict[str, Any]
_MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A choice of rows and columns.

    Parameters
    ----------
    rename : mapping of str to str
        New names of columns, by the old ones; a dotted one leads into an object.
    columns : tuple of str
        The columns to keep, by their new names; all if empty. An instance's id is always kept.
    shard : (int, int), optional
        Part I of N, from 1: every N-th row from the I-th on.
    limit : int, optional
        No more rows than this, of the shard.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    shard: tuple[int, int] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            part, parts = self.shard
            raise ConfigurationError(f"there is no shard {part}/{parts}; they go from 1/N to N/N")
        if self.limit is not None and self.limit < 0:
            raise ConfigurationError(f"a limit of {self.limit} rows is less than none")

    def choose(self, model: str, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the chosen rows, each with an id: its own, or its number in the whole input.

        Raises
        ------
        InstanceError
            If a row is no object, lacks a column that is renamed or kept, or its id is no string.
        """
        part, parts = self.shard or (1, 1)
        taken = 0
        for index, row in enumerate(rows):
            if self.limit is not None and taken >= self.limit:
                return
            if index % parts == part - 1:
                taken += 1
                yield self._named(model, index, row)

    def _named(self, model: str, index: int, row: object) -> Row:
        if not isinstance(row, dict):
            raise InstanceError(model, index, "", "it is not an object with fields")
        row = self._with_inner(row)
        for name in self.rename:
            if name not in row:
                raise InstanceError(model, index, name, "is to be renamed and is not there")
        named = {self.rename.get(name, name): value for name, value in row.items()}
        if len(named) != len(row):
            raise InstanceError(model, index, "", "two of its fields are renamed alike")
        if self.columns:
            named = self._kept(model, index, named)
        identity = named.pop(INSTANCE_ID, str(index))
        if not isinstance(identity, str):
            raise InstanceError(model, index, INSTANCE_ID, "is not a string")
        return {INSTANCE_ID: identity, **named}

    def _with_inner(self, row: Row) -> Row:
        """Take values out of objects where a dotted name is renamed that is no column itself."""
        inner = {}
        for name in self.rename:
            if "." in name and name not in row:
                value: Any = row
                for part in name.split("."):
                    value = value[part] if isinstance(value, dict) and part in value else _MISSING
                if value is not _MISSING:
                    inner[name] = value
        return {**row, **inner}

    def _kept(self, model: str, index: int, row: Row) -> Row:
        for name in self.columns:
            if name not in row:
                raise InstanceError(model, index, name, "is selected and is not there")
        return {name: row[name] for name in row if name in {*self.columns, INSTANCE_ID}}
