"""PocketSphinx with the model of American English that its release carries."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge
from typing_extensions import TypedDict

from repro.models import Audio, DockerModel, Model

Seconds = Annotated[float, Ge(0.0)]


class Word(TypedDict):
    """A word of a recording.

    Attributes
    ----------
    word : str
        As the dictionary has it: a number in brackets tells which of its pronunciations it is. What
        is no word is among them, too: ``<s>`` and ``</s>`` begin and end, ``<sil>`` is silence, and
        brackets hold noises.
    start, duration : float
        In seconds, in steps of 0.01.
    probability : float
        The share of it among what else could be there, to three digits; rounding may take it a
        little beyond 1.
    """

    word: str
    start: Seconds
    duration: Seconds
    probability: Annotated[float, Ge(0.0)]


class Transcript(TypedDict):
    """What was said.

    Attributes
    ----------
    text : str
        In small letters, without punctuation; empty where nothing was recognized.
    words : list of Word
        The words of the text, and what is between them.
    """

    text: str
    words: list[Word]


@Model.register("hugginsdaines2006-pocketsphinx")
class PocketSphinx(DockerModel):
    """Write down English speech.

    The words are those of the CMU dictionary, some 134,000; the acoustic model is American English.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    grammar : str
        What can be said, in the JSpeech Grammar Format; empty for anything that the language model
        allows.
    raw : bool
        Whether files are samples without a header.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] D. Huggins-Daines, M. Kumar, A. Chan, A. W. Black, M. Ravishankar and A. I. Rudnicky
       (2006), PocketSphinx: A Free, Real-Time Continuous Speech Recognition System for Hand-Held
       Devices, ICASSP. Upstream: cmusphinx/pocketsphinx, release 5.0.4, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        grammar: str = "",
        raw: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, audio: Audio) -> Transcript:
        """Recognize one recording, as a single utterance.

        Parameters
        ----------
        audio : path of a WAV file
            One channel of 16-bit integers at 16 kHz; with `raw`, these alone, little-endian.

        Returns
        -------
        Transcript
            ``text``, and ``words`` with their times.
        """
        return self.answer(audio=audio)


@Model.register("hugginsdaines2006-align")
class Aligner(DockerModel):
    """Find the words of a known text in a recording.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    raw : bool
        Whether files are samples without a header.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] D. Huggins-Daines, M. Kumar, A. Chan, A. W. Black, M. Ravishankar and A. I. Rudnicky
       (2006), PocketSphinx: A Free, Real-Time Continuous Speech Recognition System for Hand-Held
       Devices, ICASSP. Upstream: cmusphinx/pocketsphinx, release 5.0.4, unchanged.
    """

    def __init__(self, image: str | None = None, *, raw: bool = False, **common: Any) -> None:
        super().__init__(image, **common)

    def predict(self, audio: Audio, text: str) -> list[Word]:
        """Align one recording.

        Parameters
        ----------
        audio : path of a WAV file
            One channel of 16-bit integers at 16 kHz; with `raw`, these alone, little-endian.
        text : str
            All that is said in it: words of the dictionary, in small letters.

        Returns
        -------
        list of Word
            The words of the text in order, and silences, each with its time.
        """
        return self.answer(audio=audio, text=text)
