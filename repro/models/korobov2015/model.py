"""pymorphy2 with its Russian dictionary."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model


class Parse(TypedDict):
    """One way to understand a word by itself.

    Attributes
    ----------
    tag : str
        Its grammemes as OpenCorpora names them, such as ``NOUN,inan,femn sing,gent``: those of the
        lexeme, a space, those of the form.
    normal_form : str
        The first form of its lexeme, in lower case: of a participle this is the infinitive.
    score : float, in [0, 1]
        How likely it is, learnt for some 20,000 words; else guessed by rule, or the same for all.
    """

    tag: str
    normal_form: str
    score: Annotated[float, Interval(ge=0.0, le=1.0 + 1e-9)]


class Analysis(TypedDict):
    """What a Russian word may be.

    Attributes
    ----------
    normal_forms : list of str
        The different normal forms, the likeliest first.
    parses : list of Parse
        The likeliest first.
    """

    normal_forms: list[str]
    parses: list[Parse]


@Model.register("korobov2015-pymorphy2")
class Pymorphy2(DockerModel):
    """Analyse single Russian words, known or not.

    References
    ----------
    .. [1] M. Korobov (2015), Morphological Analyzer and Generator for Russian and Ukrainian
       Languages, AIST, CCIS 542. Upstream: kmike/pymorphy2, release 0.9.1, `MorphAnalyzer.parse`,
       with the dictionary of OpenCorpora in pymorphy2-dicts-ru 2.4.417127.4579844, unchanged.
    """

    def predict(self, word: str) -> Analysis:
        """Analyse one word.

        Parameters
        ----------
        word : str
            A word, a number or a punctuation mark, in any case.

        Returns
        -------
        Analysis
            ``normal_forms`` and ``parses``, the likeliest first.
        """
        return self.answer(word=word)


@Model.register("korobov2015-pymorphy2-inflect")
class Pymorphy2Inflect(DockerModel):
    """Put Russian words into other forms.

    References
    ----------
    .. [1] M. Korobov (2015), Morphological Analyzer and Generator for Russian and Ukrainian
       Languages, AIST, CCIS 542. Upstream: kmike/pymorphy2, release 0.9.1, `Parse.inflect`, with
       the dictionary of OpenCorpora in pymorphy2-dicts-ru 2.4.417127.4579844, unchanged.
    """

    def predict(self, word: str, grammemes: list[str]) -> str | None:
        """Inflect one word.

        Parameters
        ----------
        word : str
            A word.
        grammemes : list of str
            What its form shall be, as OpenCorpora names it: ``gent`` the genitive, ``plur`` the
            plural, ``past`` the past tense, ``COMP`` the comparative, and so on.

        Returns
        -------
        str or None
            The form, of the likeliest analysis that has it, in the case that the word is written;
            None if none has it.
        """
        return self.answer(word=word, grammemes=grammemes)


@Model.register("korobov2015-pymorphy2-agree")
class Pymorphy2Agree(DockerModel):
    """Make Russian words agree with a number before them.

    References
    ----------
    .. [1] M. Korobov (2015), Morphological Analyzer and Generator for Russian and Ukrainian
       Languages, AIST, CCIS 542. Upstream: kmike/pymorphy2, release 0.9.1,
       `Parse.make_agree_with_number`, with the dictionary of OpenCorpora in pymorphy2-dicts-ru
       2.4.417127.4579844, unchanged.
    """

    def predict(
        self, word: str, number: Annotated[int, Ge(0)], case: str | None = None
    ) -> str | None:
        """Make one word agree.

        Parameters
        ----------
        word : str
            A word in the singular, in the case that both shall have.
        number : int, ≥ 0
            The number.
        case : str, optional
            The word's case as OpenCorpora names it, such as ``accs``, if its form leaves it open;
            that of the likeliest analysis by default.

        Returns
        -------
        str or None
            The form in lower case; None if the word has none in that case.
        """
        return self.answer(word=word, number=number, case=case)
