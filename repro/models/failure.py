"""What stands in the place of a prediction that could not be made, and what ends a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repro.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.errors import ReproError


@dataclass(frozen=True)
class Failure:
    """An instance that a model failed over, where failures are recorded.

    Parameters
    ----------
    index : int
        The number of the instance.
    error : ReproError
        What happened.
    """

    index: int
    error: ReproError

    @property
    def kind(self) -> str:
        """The type of what the model raised, or of our error."""
        return str(getattr(self.error, "kind", type(self.error).__name__))

    @property
    def message(self) -> str:
        """What happened, in a sentence."""
        return str(getattr(self.error, "message", "")) or str(self.error).partition("\n")[0]


def listed(answers: Iterator[Any]) -> list[Any]:
    """Take all predictions; those before a failure go with its error."""
    taken: list[Any] = []
    try:
        for answer in answers:
            taken.append(answer)  # noqa: PERF402  extend drops what came before an error
    except ModelError as error:
        error.completed = taken
        raise
    return taken


def counted(answers: Iterator[Any]) -> Iterator[Any]:
    """Pass predictions on; their number goes with the error of a failure."""
    count = 0
    try:
        for answer in answers:
            yield answer
            count += 1
    except ModelError as error:
        error.completed = count
        raise


def limited(answers: Iterator[Any], most: int) -> Iterator[Any]:
    """Pass predictions on until there are too many failures."""
    failures = 0
    for answer in answers:
        if isinstance(answer, Failure):
            failures += 1
            if failures > most:
                raise answer.error
        yield answer
