"""Summaries as SacreROUGE reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.common.io import write_json_lines
from repro.data.output_writers.output_writer import OutputWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.data.types import InstanceDict


@OutputWriter.register("sacrerouge")
class SacreROUGEOutputWriter(OutputWriter):
    """Writes a line for each summary, with its references if the instance has any."""

    def __init__(self) -> None:
        super().__init__(prediction_per_instance=True)

    def _write(
        self,
        instances: Sequence[InstanceDict],
        predictions: Any,
        output_file_or_dir: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        model_name = args[0] if args else kwargs.get("model_name", "")
        rows = (
            {
                "instance_id": instance.get("instance_id", str(index)),
                "summarizer_id": model_name,
                "summarizer_type": "peer",
                "summary": {"text": prediction},
                **_references(instance),
            }
            for index, (instance, prediction) in enumerate(zip(instances, predictions, strict=True))
        )
        write_json_lines(rows, output_file_or_dir)


def _references(instance: InstanceDict) -> dict[str, Any]:
    if "reference" in instance:
        return {"reference": {"text": instance["reference"]}}
    if "references" in instance:
        return {"references": [{"text": one} for one in instance["references"]]}
    return {}
