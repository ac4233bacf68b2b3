"""Festival with its American English voices of diphones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge
from typing_extensions import TypedDict

from repro.models import Content, DockerModel, Model

Seconds = Annotated[float, Ge(0.0)]


class Word(TypedDict):
    """A word that is said.

    Attributes
    ----------
    word : str
        As it is said: ``fifth`` for the 5 of ``May 5``.
    start, end : float, seconds
        Where it is in the sound; the same for what has no phones of its own, as the ``'s`` of
        ``Black's``.
    """

    word: str
    start: Seconds
    end: Seconds


class Phone(TypedDict):
    """A phone that is said.

    Attributes
    ----------
    phone : str
        Its name in Festival's ``radio`` set, close to ARPAbet; ``pau`` is a pause.
    end : float, seconds
        Where it ends in the sound, and the next one begins.
    """

    phone: str
    end: Seconds


class Speech(TypedDict):
    """A text, spoken.

    Attributes
    ----------
    audio : Content
        A WAV file: 16,000 samples of 16 bits a second, one channel.
    seconds : float
        How long it is.
    spoken : str
        The words that are said, separated by spaces.
    words : list of Word
    phones : list of Phone
    """

    audio: Content
    seconds: Seconds
    spoken: str
    words: list[Word]
    phones: list[Phone]


class Phrase(TypedDict):
    """Words up to a break.

    Attributes
    ----------
    words : str
        Separated by spaces.
    boundary : str
        The break after it: ``BB`` a big one, ``B`` one, ``mB`` a small one.
    """

    words: str
    boundary: str


class Analysis(TypedDict):
    """What is said of a text, and how.

    Attributes
    ----------
    words : list of str
        As they are said; without punctuation.
    tags : list of str
        Their parts of speech, as the Penn Treebank names them, in small letters.
    phrases : list of Phrase
    """

    words: list[str]
    tags: list[str]
    phrases: list[Phrase]


@Model.register("taylor1998-festival")
class Festival(DockerModel):
    """Speak English text.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    voice : str
        ``"kal"`` or ``"ked"``, two American men.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Taylor, A.W. Black and R. Caley (1998), The Architecture of the Festival Speech
       Synthesis System, 3rd ESCA Workshop on Speech Synthesis. Upstream: Festival 2.5.0 with the
       voices kal_diphone 2.4 and ked_diphone 1.4.0, unchanged.
    """

    def __init__(
        self, image: str | None = None, *, voice: Literal["kal", "ked"] = "kal", **common: Any
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> Speech:
        """Speak one text.

        Parameters
        ----------
        text : str
            English, in ASCII and the pound sign, in words of at most 300 characters: anything else
            is a ValueError. Of any length; it is spoken sentence by sentence.

        Returns
        -------
        Speech
            ``audio``, its ``seconds``, what is ``spoken`` in it, and where the ``words`` and
            ``phones`` are; no sound at all if there is nothing to be said.
        """
        return self.answer(text=text)


@Model.register("taylor1998-festival-text")
class FestivalText(DockerModel):
    """Tell how an English text is read: numbers, dates and abbreviations as words, in phrases.

    References
    ----------
    .. [1] P. Taylor, A.W. Black and R. Caley (1998), The Architecture of the Festival Speech
       Synthesis System, 3rd ESCA Workshop on Speech Synthesis. Upstream: Festival 2.5.0, the
       modules Token_POS, Token, POS, Phrasify, Word and Pauses for kal_diphone, unchanged.
    """

    def predict(self, text: str) -> Analysis:
        """Analyse one sentence.

        Parameters
        ----------
        text : str
            English, in ASCII and the pound sign, in words of at most 300 characters: anything else
            is a ValueError. It is taken for one utterance.

        Returns
        -------
        Analysis
            ``words``, as many ``tags``, and ``phrases``.
        """
        return self.answer(text=text)
