"""SymSpell as symspellpy ports it, with its English dictionaries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Edits = Annotated[int, Ge(0)]
Verbosity = Literal["top", "closest", "all"]


class Correction(TypedDict):
    """A text, corrected.

    Attributes
    ----------
    text : str
        Lower-cased, without punctuation, and with one space between words.
    distance : int, ≥ 0
        The edits from the lower-cased text (Damerau-Levenshtein, optimal string alignment).
    count : int, ≥ 0
        How often the words come together in a corpus of 10^12 words, if they were independent.
    """

    text: str
    distance: Edits
    count: Edits


class Suggestion(TypedDict):
    """A word that may have been meant.

    Attributes
    ----------
    word : str
        As the dictionary has it, or as the given word is cased.
    distance : int, ≥ 0
        The edits from the given word; one more than are allowed if it is the given word, unknown.
    count : int, ≥ 0
        How often it comes in the corpus of the dictionary.
    """

    word: str
    distance: Edits
    count: Edits


class Segmentation(TypedDict):
    """A text with spaces between its words.

    Attributes
    ----------
    segmented : str
        With spaces, its words as they are.
    corrected : str
        With spaces, its words corrected.
    distance : int, ≥ 0
        The edits, spaces included.
    log10_probability : float, ≤ 0
        The sum of the decimal logarithms of the words' frequencies.
    """

    segmented: str
    corrected: str
    distance: Edits
    log10_probability: Annotated[float, Le(0.0)]


@Model.register("garbe2012-symspell")
class SymSpell(DockerModel):
    """Correct the spelling of English texts, also where spaces are missing or too many.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    max_edit_distance : int, ≥ 0
        The most edits a word.
    bigrams : bool
        Whether pairs of words are known too, of which there are 243,342.
    ignore_non_words : bool
        Whether numbers and words in capitals are left as they are.
    transfer_casing : bool
        Whether the case of the text is kept.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] W. Garbe (2012), 1000x Faster Spelling Correction algorithm, and (2017), Sub-millisecond
       compound aware automatic spelling correction. Upstream: mammothb/symspellpy, release 6.9.0,
       a port of wolfgarbe/SymSpell, unchanged: `lookup_compound`.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        max_edit_distance: Edits = 2,
        bigrams: bool = True,
        ignore_non_words: bool = False,
        transfer_casing: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> Correction:
        """Correct one text.

        Parameters
        ----------
        text : str
            English, a phrase or a sentence.

        Returns
        -------
        Correction
            ``text``, ``distance`` in edits, and ``count``.
        """
        return self.answer(text=text)


@Model.register("garbe2012-symspell-lookup")
class SymSpellLookup(DockerModel):
    """Look up the English words that a misspelt one may stand for.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    max_edit_distance : int, ≥ 0
        The most edits.
    verbosity : {"closest", "top", "all"}
        Whether all words at the least distance are given, the most frequent one of them, or all
        words at any distance.
    include_unknown : bool
        Whether a word like which there is none is given back.
    transfer_casing : bool
        Whether the case of the word is kept.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] W. Garbe (2012), 1000x Faster Spelling Correction algorithm. Upstream:
       mammothb/symspellpy, release 6.9.0, a port of wolfgarbe/SymSpell, unchanged: `lookup`.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        max_edit_distance: Edits = 2,
        verbosity: Verbosity = "closest",
        include_unknown: bool = False,
        transfer_casing: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, word: str) -> list[Suggestion]:
        """Look up one word.

        Parameters
        ----------
        word : str
            In lower case, unless its case is kept.

        Returns
        -------
        list of Suggestion
            ``word``, ``distance`` in edits and ``count``; by distance, then by count.
        """
        return self.answer(word=word)


@Model.register("garbe2012-symspell-segmentation")
class SymSpellSegmentation(DockerModel):
    """Put spaces into English text that has none, and correct it if asked to.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    max_edit_distance : int, ≥ 0
        The most edits a word; none by default.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] W. Garbe (2012), 1000x Faster Spelling Correction algorithm, and (2018), Fast Word
       Segmentation for noisy text. Upstream: mammothb/symspellpy, release 6.9.0, a port of
       wolfgarbe/SymSpell, unchanged: `word_segmentation`.
    """

    def __init__(
        self, image: str | None = None, *, max_edit_distance: Edits = 0, **common: Any
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> Segmentation:
        """Put spaces into one text.

        Parameters
        ----------
        text : str
            English; the spaces that it has are kept.

        Returns
        -------
        Segmentation
            ``segmented``, ``corrected``, ``distance`` in edits, and ``log10_probability``.
        """
        return self.answer(text=text)
