"""Natasha with the models for news that it carries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Offset = Annotated[int, Ge(0)]


class Token(TypedDict):
    """A token: a word, a number, a punctuation mark.

    Attributes
    ----------
    text : str
        As it stands in the text.
    start, stop : int, ≥ 0
        Where in the text, in characters; `stop` is exclusive.
    pos : str
        Its part of speech in Universal Dependencies, such as ``NOUN``.
    feats : dict of str
        Its grammatical features in Universal Dependencies, such as ``{"Case": "Gen"}``.
    lemma : str
        Its normal form, in lower case.
    head : int, ≥ 0
        The number, from 1 in each sentence, of the token that it depends on; 0 is none.
    relation : str
        How it depends, in Universal Dependencies, such as ``nsubj``.
    """

    text: str
    start: Offset
    stop: Offset
    pos: str
    feats: dict[str, str]
    lemma: str
    head: Offset
    relation: str


class Sentence(TypedDict):
    """A sentence.

    Attributes
    ----------
    start, stop : int, ≥ 0
        Where in the text, in characters; `stop` is exclusive.
    tokens : list of Token
        In order.
    """

    start: Offset
    stop: Offset
    tokens: list[Token]


class Entity(TypedDict):
    """A named entity.

    Attributes
    ----------
    text : str
        As it stands in the text.
    start, stop : int, ≥ 0
        Where in the text, in characters; `stop` is exclusive.
    type : {"PER", "LOC", "ORG"}
        A person, a place or an organisation.
    normal : str
        In the nominative.
    name : dict of str, or None
        Of a person, where they are found: ``first``, ``last`` and ``middle`` name.
    """

    text: str
    start: Offset
    stop: Offset
    type: Literal["PER", "LOC", "ORG"]
    normal: str
    name: dict[str, str] | None


class Document(TypedDict):
    """A text, analysed.

    Attributes
    ----------
    sentences : list of Sentence
        In order.
    entities : list of Entity
        In order.
    """

    sentences: list[Sentence]
    entities: list[Entity]


class Match(TypedDict):
    """A fact found in a text.

    Attributes
    ----------
    start, stop : int, ≥ 0
        Where in the text, in characters; `stop` is exclusive.
    fact : dict
        Of a name ``first``, ``last`` and ``middle``; of a date ``year``, ``month`` and ``day``; of
        money ``amount`` and ``currency`` (ISO 4217); of an address ``parts``, each with ``value``
        and ``type``. What is not found is not there.
    """

    start: Offset
    stop: Offset
    fact: dict[str, Any]


@Model.register("kukushkin2020-natasha")
class Natasha(DockerModel):
    """Analyse Russian text: sentences, tokens, morphology, lemmas, syntax and named entities.

    References
    ----------
    .. [1] A. Kukushkin (2020), Project Natasha: a set of quality open tools for the processing
       of Russian (NLP), in Russian. Upstream: natasha/natasha, release 1.6.0,
       natasha/doc.py, with the models for news in its package, unchanged.
    """

    def predict(self, text: str) -> Document:
        """Analyse one text.

        Parameters
        ----------
        text : str
            Russian, best of news.

        Returns
        -------
        Document
            ``sentences``, with their tokens, and ``entities``.
        """
        return self.answer(text=text)


@Model.register("kukushkin2020-natasha-facts")
class NatashaFacts(DockerModel):
    """Find names, dates, sums of money or an address in Russian text, by rule.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    kind : {"names", "dates", "money", "address"}
        What to find.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] A. Kukushkin (2020), Project Natasha: a set of quality open tools for the processing
       of Russian (NLP), in Russian. Upstream: natasha/natasha, release 1.6.0,
       natasha/extractors.py, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        kind: Literal["names", "dates", "money", "address"] = "names",
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> list[Match]:
        """Find the facts of one text.

        Parameters
        ----------
        text : str
            Russian: a sentence, or the fact alone. The rules for names take most words for one.

        Returns
        -------
        list of Match
            In order; of an address one at most, which has all parts that were found.
        """
        return self.answer(text=text)
