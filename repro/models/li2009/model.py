"""THULAC with the models that its release carries."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from repro.models import DockerModel, Model


class Word(TypedDict):
    """A word of a Chinese text.

    Attributes
    ----------
    word : str
        As it stands in the text, or in simplified characters if these were asked for.
    pos : str
        Its part of speech in the tags of THULAC: ``n`` a noun, ``np``, ``ns``, ``ni`` and ``nz``
        names, ``v`` a verb, ``a`` an adjective, ``d`` an adverb, ``r`` a pronoun, ``m`` a numeral,
        ``q`` a measure word, ``u`` a particle, ``w`` punctuation, and others.
    """

    word: str
    pos: str


@Model.register("li2009-thulac")
class THULAC(DockerModel):
    """Divide Chinese text into words, and tag them with their parts of speech.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    simplify : bool
        Whether traditional characters are turned into simplified ones first.
    filt : bool
        Whether words that carry little meaning, such as 可以, and words of time are left out.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] Z. Li and M. Sun (2009), Punctuation as Implicit Annotations for Chinese Word
       Segmentation, Computational Linguistics 35 (4).
    .. [2] M. Sun, X. Chen, K. Zhang, Z. Guo and Z. Liu (2016), THULAC: An Efficient Lexical
       Analyzer for Chinese. Upstream: thunlp/THULAC-Python, release 0.2.2, with the model for
       words and parts of speech (Model_2); its weights are kept in an array, to spare memory.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        simplify: bool = False,
        filt: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> list[Word]:
        """Analyse one text.

        Parameters
        ----------
        text : str
            Chinese, in simplified characters unless they are to be turned into these.

        Returns
        -------
        list of Word
            ``word`` and ``pos``, in the order of the text; spaces and line breaks part words, and
            are left out.
        """
        return self.answer(text=text)


@Model.register("li2009-thulac-seg")
class THULACSegmenter(DockerModel):
    """Divide Chinese text into words.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    simplify : bool
        Whether traditional characters are turned into simplified ones first.
    filt : bool
        Whether words that carry little meaning, such as 可以, and words of time are left out.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] Z. Li and M. Sun (2009), Punctuation as Implicit Annotations for Chinese Word
       Segmentation, Computational Linguistics 35 (4).
    .. [2] M. Sun, X. Chen, K. Zhang, Z. Guo and Z. Liu (2016), THULAC: An Efficient Lexical
       Analyzer for Chinese. Upstream: thunlp/THULAC-Python, release 0.2.2, with the model for
       words alone (Model_1); its weights are kept in an array, to spare memory.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        simplify: bool = False,
        filt: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> list[str]:
        """Divide one text.

        Parameters
        ----------
        text : str
            Chinese, in simplified characters unless they are to be turned into these.

        Returns
        -------
        list of str
            Its words in order; spaces and line breaks part words, and are left out.
        """
        return self.answer(text=text)
