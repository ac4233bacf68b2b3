"""Carries the files that instances name to where a container reads them."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from repro.common.jsonlines import decode, encode
from repro.errors import InstanceError
from repro.models.files import HOST, IMAGE, opened, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from repro.engine.files import Files
    from repro.models.schema import Schema


class Carrier:
    """Carries files in and takes them away again.

    Parameters
    ----------
    schema : Schema
        Says which fields name files.
    files : callable
        Tells what containers read files from, once there is something to carry.
    """

    def __init__(self, schema: Schema, files: Callable[[], Files]) -> None:
        self._schema, self._files = schema, files

    def carry(self, rows: Iterable[bytes], start: int, carried: dict[str, str]) -> Iterator[bytes]:
        """Carry the files of instances, each once; yield the instances as the program gets them.

        The files are there when all of these have been taken.

        Parameters
        ----------
        rows : iterable of bytes
            The instances.
        start : int
            The number of the first one.
        carried : dict
            Gets the path that each file has in the container, to be removed.

        Raises
        ------
        InstanceError
            About a file that cannot be read, or may not be.
        """
        for index, row in enumerate(rows, start):
            yield self._carried(row, index, carried)
        if carried:
            self._files().settle()

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files that were carried."""
        self._files().remove(paths)

    def _carried(self, row: bytes, index: int, carried: dict[str, str]) -> bytes:
        instance = cast("dict[str, Any]", decode(row))
        for field in self._schema.files:
            carry = partial(self._carry, index=index, field=field.name, carried=carried)
            instance[field.name] = _replaced(instance[field.name], carry)
        return encode(instance)

    def _carry(self, path: str, index: int, field: str, carried: dict[str, str]) -> str:
        if path not in carried:
            refused = partial(InstanceError, self._schema.model, index, field)
            name = os.path.basename(path)  # noqa: PTH119
            try:
                with opened(path, self._schema.within) as file:
                    carried[path] = self._files().add(
                        file, name, lambda problem: refused(f"names {path}, which {problem}")
                    )
            except ValueError as error:
                raise refused(str(error)) from None
        return carried[path]


def size_of_files(schema: Schema, row: bytes) -> int:
    """Add up the bytes of the files that an instance names."""
    instance = cast("dict[str, Any]", decode(row))
    total = 0
    for field in schema.files:
        value = instance[field.name]
        for place in value if isinstance(value, list) else [value]:
            if place and HOST in place:
                with suppress(OSError):  # is told when it is opened
                    total += os.stat(unpacked(place[HOST])).st_size  # noqa: PTH116
    return total


def _replaced(value: Any, carry: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_replaced(one, carry) for one in value]
    if value is None:
        return None
    return value[IMAGE] if IMAGE in value else carry(unpacked(value[HOST]))
