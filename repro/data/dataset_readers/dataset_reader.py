"""The base of dataset readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.common.registrable import Registrable
from repro.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from repro.data.types import InstanceDict

INSTANCE_ID = "instance_id"


class DatasetReader(Registrable):
    """Reads instances. Derive from it, register the class, and write `_read`."""

    def read(self, *input_files: str) -> list[InstanceDict]:
        """Read the instances of all files, in their order.

        Each gets an ``instance_id``: where `_read` gives none, it is the zero-based number of the
        instance as a string. The ancestor refused such instances, and with them what one of its own
        readers gave.

        Raises
        ------
        DataFileError
            If a file cannot be read, or an instance is no dict or has an id that is no string.
        """
        name = ", ".join(input_files) or type(self).__name__
        return [
            _identified(instance, index, name)
            for index, instance in enumerate(self._read(*input_files))
        ]

    def _read(self, *input_files: str) -> Iterable[InstanceDict]:
        """Read the instances, without regard to their ids."""
        raise NotImplementedError(f"{type(self).__name__} has no _read")


def _identified(instance: object, index: int, name: str) -> InstanceDict:
    if not isinstance(instance, dict):
        problem = f"instance {index} is {type(instance).__name__}, not an object with fields"
        raise DataFileError(name, problem)
    if INSTANCE_ID not in instance:
        return {INSTANCE_ID: str(index), **instance}
    if not isinstance(instance[INSTANCE_ID], str):
        problem = (
            f"instance {index} has the instance_id {instance[INSTANCE_ID]!r}, "
            "which is no string; write it in quotation marks"
        )
        raise DataFileError(name, problem)
    return instance
