"""Lingua, which knows 75 languages."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Interval, MinLen
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
Rank = Annotated[int, Interval(ge=1, le=75)]


class Candidate(TypedDict):
    """A language that a text may be in.

    Attributes
    ----------
    language : str
        Its ISO 639-1 code, in small letters.
    probability : float, in [0, 1]
        Among all that were asked for, rounded to nine digits.
    """

    language: str
    probability: Share


class Identification(TypedDict):
    """The language of a text.

    Attributes
    ----------
    language : str or None
        The most probable one: its ISO 639-1 code, in small letters; None if two are as probable.
    probability : float, in [0, 1]
        Its probability, rounded to nine digits.
    ranking : list of Candidate
        The `k` most probable ones, best first; those that are as probable by their code.
    """

    language: str | None
    probability: Share
    ranking: list[Candidate]


@Model.register("stahl2021-lingua")
class Lingua(DockerModel):
    """Identify the language of a text with lingua, which is made for short ones.

    Rules over alphabets and characters narrow the languages down; then n-grams of characters, from
    1 to 5, decide. There is no paper.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    languages : list of str, optional
        ISO 639-1 codes of two or more languages to choose from; all 75 by default.
    low_accuracy : bool
        Whether only n-grams of three characters are used: less memory, and worse on short texts.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P.M. Stahl, Lingua: the most accurate natural language detection library for Python.
       Upstream: pemistahl/lingua-py, release 2.1.1, unchanged, with its models.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        languages: Annotated[list[str], MinLen(2)] | None = None,
        low_accuracy: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str, *, k: Rank = 5) -> Identification:
        """Identify the language of one text.

        Parameters
        ----------
        text : str
            A word, a sentence or a document. Without letters it has no language.
        k : int, from 1 to 75
            How many languages are in the ranking.

        Returns
        -------
        Identification
            ``language``, ``probability`` and ``ranking``.
        """
        return self.answer(text=text, k=k)
