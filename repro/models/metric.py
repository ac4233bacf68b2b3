"""Metrics: models whose value over a corpus is computed from all rows together."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from repro.errors import ConfigurationError, OutputError
from repro.models.docker_model import DockerModel
from repro.models.failure import counted, listed
from repro.models.schema import checker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from repro.models.docker_model import OnError
    from repro.models.schema import Schema
    from repro.models.worker_mode import Answered


class Metric(DockerModel):
    """A metric in a container. Derive from it, declare `Row` and `Corpus`, and write `predict`.

    The program predicts rows, each with what its `aggregate` needs to make the value over all of
    them. `predict` answers with the value over its one row, so its return annotation is `Corpus`.

    Attributes
    ----------
    Row : type
        What a row is: its own scores, and the statistics that the corpus value is made of.
    Corpus : type
        What the value over all rows is (the macro, in the ancestor's word).
    """

    Row: ClassVar[Any] = Any
    Corpus: ClassVar[Any] = Any

    @cached_property
    def schema(self) -> Schema:
        """What an instance and a row of this metric are."""
        schema = replace(super().schema, prediction=self.Row)
        if schema.has_contents:
            raise ConfigurationError(f"a row of {self.name} has files, and a metric makes none")
        return schema

    def predict_batch(
        self,
        inputs: Sequence[dict[str, Any]],
        *,
        on_error: OnError = "raise",
        max_errors: int | None = None,
        **options: Any,
    ) -> Any:
        """Score a list of instances.

        Parameters
        ----------
        inputs : sequence of dict, length N > 0
            The fields of each.
        on_error, max_errors
            As `DockerModel.predict_batch`.
        **options
            The keyword-only parameters of `predict`.

        Returns
        -------
        macro : Corpus
            The value over all instances; None if one of them has failed.
        micro : list of Row, length N
            The rows, in the order of `inputs`.

        Raises
        ------
        ConfigurationError
            If there are no instances: the value over none is not defined.
        InstanceError, ModelError, EngineError
            As `DockerModel.predict_batch`.
        """
        if not inputs:
            raise ConfigurationError(f"{self.name} over no instances is not defined")
        checked = [self.schema.instance(given, index) for index, given in enumerate(inputs)]
        corpus: list[Any] = []
        told = self._checked(corpus.append)
        answers = self._stream(
            checked, options, None, told, on_error=on_error, max_errors=max_errors
        )
        rows = listed(answers)
        return (corpus[0] if corpus else None), rows

    def predict_each(self, inputs: Sequence[dict[str, Any]], **options: Any) -> list[Any]:
        """Score each instance as if it were alone."""
        return [self.predict_batch([one], **options)[0] for one in inputs]

    def predict_stream(
        self,
        instances: Iterable[dict[str, Any]],
        *,
        on_error: OnError = "raise",
        max_errors: int | None = None,
        on_progress: Callable[[int], None] | None = None,
        on_corpus: Callable[[Any], None] | None = None,
        answered: Answered | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        """Score instances as an iterator of rows, in order and in bounded memory.

        Parameters
        ----------
        instances : iterable of dict
            The fields of each.
        on_error, max_errors
            As `DockerModel.predict_batch`.
        on_progress : callable, optional
            Gets the number of rows made so far, now and then.
        on_corpus : callable, optional
            Gets the value over all rows, after the last one was taken; nothing if there are none,
            or one has failed.
        answered : Answered, optional
            As `DockerModel.predict_stream`; the value is over these rows, too.
        **options
            The keyword-only parameters of `predict`.
        """
        checked = (self.schema.instance(given, index) for index, given in enumerate(instances))
        told = self._checked(on_corpus or (lambda _value: None))
        answers = self._stream(
            checked,
            options,
            on_progress,
            told,
            on_error=on_error,
            max_errors=max_errors,
            answered=answered,
        )
        return counted(answers)

    def _checked(self, on_corpus: Callable[[Any], None]) -> Callable[[Any], None]:
        """Check the value over all rows before it is told."""

        def check_and_tell(value: object) -> None:
            if problem := checker(self.Corpus)(value):
                raise OutputError(self.name, f"the value over all rows {problem}")
            on_corpus(value)

        return check_and_tell
