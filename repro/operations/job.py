"""What is to be predicted, as a value: with which model, from where, and where to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from repro.data.formats import STREAM, format_of
from repro.errors import ConfigurationError
from repro.operations.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repro.models.docker_model import OnError

NATIVE_WRITER = "default"


@dataclass(frozen=True, kw_only=True)
class PredictionJob:
    """What to predict, with which model, and where to.

    Parameters
    ----------
    model : str
        The model's name.
    inputs, outputs : tuple of str
        Files of rows; ``"-"`` is standard input or output. Inputs are read one after the other,
        and every output gets all rows.
    input_format, output_format : str, optional
        Their formats, where suffixes do not tell.
    load_options : mapping
        What the model's class takes.
    options : mapping
        Options of the call.
    selection : Selection
        Which rows and columns.
    reader : str, optional
        A registered dataset reader for the inputs, with `reader_options`.
    dataset : (str, str), optional
        A data set and its split, of the Hugging Face `datasets` library, instead of inputs.
    writer : str
        A registered output writer, with `writer_options`; the default one writes rows.
    include_input : bool
        Repeat the instance in each row.
    allow_nan : bool
        Write NaN and infinities, which JSON does not know.
    on_error : "raise" or "record"
        Whether the first instance that fails the model ends the run, or has a row that says so.
    max_errors : int, optional
        How many such rows there may be.
    files : str, optional
        The folder for files that the model makes; ``<output>.files`` by default. It appears whole
        or not at all.
    resume : bool
        Keep the rows of a run that is stopped, beside the output, and go on with those there are.
    """

    model: str
    inputs: tuple[str, ...] = (STREAM,)
    outputs: tuple[str, ...] = (STREAM,)
    input_format: str | None = None
    output_format: str | None = None
    load_options: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    reader: str | None = None
    reader_options: Mapping[str, Any] = field(default_factory=dict)
    dataset: tuple[str, str] | None = None
    writer: str = NATIVE_WRITER
    writer_options: Mapping[str, Any] = field(default_factory=dict)
    include_input: bool = False
    allow_nan: bool = False
    on_error: OnError = "raise"
    max_errors: int | None = None
    files: str | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        problem = ""
        if self.max_errors is not None and self.on_error != "record":
            problem = "a number of errors is allowed only where they are recorded"
        elif self.on_error == "record" and self.writer != NATIVE_WRITER:
            problem = f"the output writer {self.writer!r} cannot write failures"
        elif self.on_error == "record" and "text" in self.formats:
            problem = "a line of text cannot tell a failure; write another format, such as jsonl"
        elif self.resume and self.writer != NATIVE_WRITER:
            problem = f"a run with the output writer {self.writer!r} cannot be resumed"
        if problem:
            raise ConfigurationError(problem)

    @property
    def formats(self) -> list[str]:
        """The formats of the outputs."""
        return [format_of(path, self.output_format) for path in self.outputs]
