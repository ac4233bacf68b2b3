"""TextRank as summa computes it."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]


class Summary(TypedDict):
    """The sentences of a text that rank highest.

    Attributes
    ----------
    sentences : list of str
        In the order of the text.
    scores : list of float, in [0, 1]
        Their ranks: entries of an eigenvector of length 1, rounded to nine digits.
    """

    sentences: list[str]
    scores: list[Share]


class Keywords(TypedDict):
    """The keywords of a text.

    Attributes
    ----------
    keywords : list of str
        Words, or runs of words that stand side by side in the text; the highest rank first.
    scores : list of float, in [0, 1]
        Their ranks: entries of an eigenvector of length 1, of a run their mean; rounded to nine
        digits.
    """

    keywords: list[str]
    scores: list[Share]


@Model.register("mihalcea2004-textrank")
class TextRank(DockerModel):
    """Summarize a text by those of its sentences that share most words with the others.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        Of the stemmer and the stop words: one of arabic, danish, dutch, english, finnish, french,
        german, hungarian, italian, norwegian, polish, porter, portuguese, romanian, russian,
        spanish and swedish.
    additional_stopwords : list of str, optional
        Words that do not count, besides the language's.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] R. Mihalcea and P. Tarau (2004), TextRank: Bringing Order into Texts, EMNLP, section 4.
       Upstream: summanlp/textrank, release 1.2.0, summa/summarizer.py, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        language: str = "english",
        additional_stopwords: list[str] | tuple[str, ...] = (),
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str, *, ratio: Share = 0.2) -> Summary:
        """Summarize one text.

        Parameters
        ----------
        text : str
            Some sentences. A line break ends one.
        ratio : float, in [0, 1]
            The share of the sentences to keep, rounded down.

        Returns
        -------
        Summary
            ``sentences`` and their ``scores``; none of a text that is too short.
        """
        return self.answer(text=text, ratio=ratio)


@Model.register("mihalcea2004-textrank-keywords")
class TextRankKeywords(DockerModel):
    """Find the keywords of a text: those that stand beside many others.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        Of the stemmer and the stop words, as of `TextRank`.
    additional_stopwords : list of str, optional
        Words that do not count, besides the language's.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] R. Mihalcea and P. Tarau (2004), TextRank: Bringing Order into Texts, EMNLP, section 3.
       Upstream: summanlp/textrank, release 1.2.0, summa/keywords.py, unchanged. It takes words of
       any part of speech, where the paper takes nouns and adjectives.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        language: str = "english",
        additional_stopwords: list[str] | tuple[str, ...] = (),
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str, *, ratio: Share = 0.2) -> Keywords:
        """Find the keywords of one text.

        Parameters
        ----------
        text : str
            Some sentences.
        ratio : float, in [0, 1]
            The share of the words, stop words left out, to keep.

        Returns
        -------
        Keywords
            ``keywords`` and their ``scores``; none of a text with few distinct words.
        """
        return self.answer(text=text, ratio=ratio)
