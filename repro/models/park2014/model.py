"""The taggers that KoNLPy carries."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from repro.models import DockerModel, Model


class KoreanMorpheme(TypedDict):
    """A morpheme of a Korean text.

    Attributes
    ----------
    morpheme : str
        As the tagger restores it, which may differ from the text.
    pos : str
        Its part of speech, in the tagger's own tag set.
    """

    morpheme: str
    pos: str


class KoreanAnalysis(TypedDict):
    """The morphemes of a Korean text.

    Attributes
    ----------
    morphemes : list of KoreanMorpheme
        In order.
    nouns : list of str
        What the tagger takes for nouns; Kkma adds the parts of compounds, and names each once.
    """

    morphemes: list[KoreanMorpheme]
    nouns: list[str]


@Model.register("park2014-konlpy")
class KoNLPy(DockerModel):
    """Divide Korean text into morphemes, and tag them with their parts of speech.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    tagger : {"hannanum", "kkma", "komoran", "okt"}
        Which of the four.
    norm : bool
        Whether colloquial spelling is normalised; of okt alone.
    stem : bool
        Whether verbs and adjectives are given in their dictionary form; of okt alone.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] E.L. Park and S. Cho (2014), KoNLPy: Korean natural language processing in Python, Annual
       Conference on Human and Cognitive Language Technology. Upstream: konlpy/konlpy, release
       0.6.0, konlpy/tag, with the Java programs in its package (JHannanum 0.8.4, Kkma 2.0, Komoran
       3.0, Open Korean Text 2.1.0), unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        tagger: Literal["hannanum", "kkma", "komoran", "okt"] = "hannanum",
        norm: bool = False,
        stem: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> KoreanAnalysis:
        """Analyse one text.

        Parameters
        ----------
        text : str
            Korean, a sentence or more.

        Returns
        -------
        KoreanAnalysis
            ``morphemes`` with their parts of speech, and ``nouns``; none of a blank text.
        """
        return self.answer(text=text)
