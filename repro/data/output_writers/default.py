"""Predictions as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.common.io import write_json_lines
from repro.data.output_writers.output_writer import OutputWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repro.data.types import InstanceDict


@OutputWriter.register("default")
class DefaultOutputWriter(OutputWriter):
    """Writes a line for each instance: ``instance_id``, ``model_id``, ``prediction``.

    Parameters
    ----------
    include_input : bool
        Write the instance too, as ``input``.
    allow_nan : bool
        Write NaN and infinities, which strict JSON does not have.
    """

    def __init__(
        self,
        include_input: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
        *,
        allow_nan: bool = False,
    ) -> None:
        super().__init__(prediction_per_instance=True)
        self.include_input, self.allow_nan = include_input, allow_nan

    def _write(
        self,
        instances: Sequence[InstanceDict],
        predictions: Any,
        output_file_or_dir: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        model_name = args[0] if args else kwargs.get("model_name", "")
        rows = self._rows(instances, predictions, model_name)
        write_json_lines(rows, output_file_or_dir, allow_nan=self.allow_nan)

    def _rows(
        self, instances: Sequence[InstanceDict], predictions: Any, model_name: str
    ) -> Iterator[dict[str, Any]]:
        for index, (instance, prediction) in enumerate(zip(instances, predictions, strict=True)):
            yield {
                "instance_id": instance.get("instance_id", str(index)),
                "model_id": model_name,
                **({"input": instance} if self.include_input else {}),
                "prediction": prediction,
            }
