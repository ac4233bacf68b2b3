"""The base of output writers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.common.io import translated, whole_file
from repro.common.jsonlines import JSONRuleError, encode
from repro.common.registrable import Registrable
from repro.errors import DataFileError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.data.types import InstanceDict


class OutputWriter(Registrable):
    """Writes predictions. Derive from it, register the class, and write `_write`.

    Parameters
    ----------
    prediction_per_instance : bool
        There must be exactly one prediction for each instance.
    """

    default_implementation = "default"

    def __init__(
        self,
        prediction_per_instance: bool,  # noqa: FBT001  as in the ancestor
    ) -> None:
        self.prediction_per_instance = prediction_per_instance

    def write(
        self,
        instances: Sequence[InstanceDict],
        predictions: Any,
        output_file_or_dir: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Write the predictions.

        Of a metric's ``(macro, micro)``, a writer of one prediction for each instance writes the
        micro, and the macro as JSON into ``<output>.macro.json``. The ancestor refused it after the
        whole prediction had run. What cannot be written is never lost: it is kept as JSON in
        ``<output>.refused.json``, and the error says so.

        Parameters
        ----------
        instances : sequence of dict, length N
            What was predicted for.
        predictions
            What the model answered.
        output_file_or_dir : str
            Where to write it.
        *args, **kwargs
            What `_write` takes besides; those of ours take `model_name`.

        Raises
        ------
        OutputError
            If there is not one prediction for each instance where there must be: the model failed.
        InputError
            If a prediction is no JSON, the file cannot be written, or another writer is needed.
        """
        model = str(args[0] if args else kwargs.get("model_name", "")) or "the model"
        try:
            macro, rows = self._parted(instances, predictions, model)
            self._write(instances, rows, output_file_or_dir, *args, **kwargs)
            if macro is not None:
                write_json(macro, f"{output_file_or_dir}.macro.json")
        except (InputError, OutputError) as error:
            kept = f"{output_file_or_dir}.refused.json"
            try:
                write_json(predictions, kept, allow_nan=True)
            except InputError:  # nothing can be written there, or it is no JSON at all
                raise error from None
            where = f"what was predicted is in {kept}"
            if isinstance(error, OutputError):
                raise OutputError(error.model, f"{error.problem}; {where}", error.index) from error
            raise InputError(f"{error}; {where}") from error

    def _parted(
        self, instances: Sequence[InstanceDict], predictions: Any, model: str
    ) -> tuple[object | None, Any]:
        """Tell the macro, if there is one, from the rows."""
        if not self.prediction_per_instance:
            return None, predictions
        macro, rows = None, predictions
        if isinstance(predictions, tuple) and len(predictions) == 2:
            macro, rows = predictions
        if macro is not None and instances and rows == []:
            raise InputError(
                "the metric gives one value for all instances and none for each; "
                "the output writer 'metrics' writes that"
            )
        if not isinstance(rows, list):
            problem = f"the predictions are a {type(rows).__name__}, not a list"
            raise OutputError(model, problem)
        if len(rows) != len(instances):
            problem = f"there are {len(rows):,} predictions for {len(instances):,} instances"
            raise OutputError(model, problem)
        return macro, rows

    def _write(
        self,
        instances: Sequence[InstanceDict],
        predictions: Any,
        output_file_or_dir: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Write predictions, whose number has been checked."""
        raise NotImplementedError(f"{type(self).__name__} has no _write")


def write_json(value: object, output_file: str, *, allow_nan: bool = False) -> None:
    """Write a value as one JSON document for people to read; the folders are made.

    Raises
    ------
    DataFileError
        If it is no JSON, or the file cannot be written.
    """
    try:
        encode(value, ascii_only=False, allow_nan=allow_nan)
    except JSONRuleError as error:
        raise DataFileError(output_file, str(error)) from None
    with translated(output_file):
        Path(output_file).parent.mkdir(parents=True, exist_ok=True)
    with whole_file(output_file) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n")
