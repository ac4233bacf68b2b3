"""Frog with its models of Dutch."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model


class FrogToken(TypedDict):
    """A token of a Dutch sentence; words that belong together, as in names, are one.

    Attributes
    ----------
    text : str
        As it stands in the text; the parts of a multi-word unit are joined by ``_``.
    lemma : str
        Its dictionary form.
    morphemes : str
        Its parts in square brackets, such as ``[test][en]``.
    pos : str
        Its part of speech and features in the tag set of CGN, such as ``N(soort,ev,basis)``.
    confidence : float, in [0, 1]
        How sure the tagger is of `pos`.
    entity : str
        ``O``, or the beginning (``B-``) or continuation (``I-``) of a person, place, organisation,
        product, event or other name.
    chunk : str
        ``O``, or the beginning (``B-``) or continuation (``I-``) of a phrase, such as ``B-NP``.
    head : int, ≥ 0, or None
        The number, from 1, of the token of the sentence that it depends on; 0 is none. None without
        the parser.
    relation : str or None
        How it depends, such as ``su`` for the subject. None without the parser.
    """

    text: str
    lemma: str
    morphemes: str
    pos: str
    confidence: Annotated[float, Interval(ge=0.0, le=1.0)]
    entity: str
    chunk: str
    head: Annotated[int, Ge(0)] | None
    relation: str | None


@Model.register("vandenbosch2007-frog")
class Frog(DockerModel):
    """Analyse Dutch text: tokens, lemmas, morphemes, parts of speech, names, chunks and syntax.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    parser : bool
        Whether dependencies are found too; it takes most of the time and memory.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] A. van den Bosch, B. Busser, S. Canisius and W. Daelemans (2007), An efficient
       memory-based morphosyntactic tagger and parser for Dutch, CLIN 2006. Upstream:
       LanguageMachines/frog, release 0.20, with frogdata 0.18 and uctodata 0.8, unchanged.
    """

    def __init__(self, image: str | None = None, *, parser: bool = True, **common: Any) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> list[list[FrogToken]]:
        """Analyse one text.

        Parameters
        ----------
        text : str
            Dutch; an empty line ends a sentence, other line breaks do not.

        Returns
        -------
        list of (list of FrogToken)
            Its sentences, each a list of tokens; none of a blank text.
        """
        return self.answer(text=text)
