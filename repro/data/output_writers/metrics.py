"""Metrics as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.data.output_writers.output_writer import OutputWriter, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.data.types import InstanceDict


@OutputWriter.register("metrics")
class MetricsOutputWriter(OutputWriter):
    """Writes what the model answered as it is, such as a metric's ``[macro, micro]``.

    Parameters
    ----------
    allow_nan : bool
        Write NaN and infinities, which strict JSON does not have.
    """

    def __init__(self, *, allow_nan: bool = False) -> None:
        super().__init__(prediction_per_instance=False)
        self.allow_nan = allow_nan

    def _write(
        self,
        instances: Sequence[InstanceDict],  # noqa: ARG002
        predictions: Any,
        output_file_or_dir: str,
        *args: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        write_json(predictions, output_file_or_dir, allow_nan=self.allow_nan)
