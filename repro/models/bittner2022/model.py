"""Basic Pitch over onnxruntime."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Interval
from typing_extensions import TypedDict

from repro.models import Audio, Content, DockerModel, Model

Seconds = Annotated[float, Ge(0.0)]


class Note(TypedDict):
    """A note.

    Attributes
    ----------
    start, end : float, seconds
        From when to when it is heard.
    pitch : int
        Its number in MIDI, from 21 to 108; 60 is the middle C.
    amplitude : float, in [0, 1]
        The mean of its activations; in the MIDI file it is the velocity.
    bends : list of int or None
        How far its pitch is bent in each frame of 11.6 ms, in thirds of a semitone.
    """

    start: Seconds
    end: Seconds
    pitch: Annotated[int, Interval(ge=21, le=108)]
    amplitude: Annotated[float, Interval(ge=0.0, le=1.0)]
    bends: list[int] | None


class Transcription(TypedDict):
    """The notes of a recording.

    Attributes
    ----------
    notes : list of Note
        In order of start, end and pitch.
    midi : Content
        A MIDI file of them; of notes at the same time it leaves out the bends.
    """

    notes: list[Note]
    midi: Content


@Model.register("bittner2022-basicpitch")
class BasicPitch(DockerModel):
    """Transcribe music of any one instrument, or of a voice, to notes.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    onset_threshold, frame_threshold : float, in [0, 1]
        From which activation on a note begins, and goes on.
    minimum_note_length : float, milliseconds
        Shorter notes are left out.
    minimum_frequency, maximum_frequency : float, Hz, optional
        Lower and higher notes are left out.
    midi_tempo : float, beats per minute
        The tempo that the MIDI file says; it moves no note.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] R.M. Bittner, J.J. Bosch, D. Rubinstein, G. Meseguer-Brocal and S. Ewert (2022), A
       Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and Multipitch
       Estimation, ICASSP. Upstream: basic-pitch 0.4.0, unchanged, with its ONNX model.
    """

    def __init__(  # noqa: PLR0913 - upstream's options
        self,
        image: str | None = None,
        *,
        onset_threshold: float = 0.5,
        frame_threshold: float = 0.3,
        minimum_note_length: float = 127.7,
        minimum_frequency: float | None = None,
        maximum_frequency: float | None = None,
        midi_tempo: float = 120.0,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, audio: Audio) -> Transcription:
        """Transcribe one recording.

        Parameters
        ----------
        audio : path
            A WAV, FLAC, Ogg or MP3 file, as libsndfile reads them, of any rate and number of
            channels: it is taken to 22,050 Hz and one channel. Anything else, and less than 0.1 s,
            is a ValueError.

        Returns
        -------
        Transcription
            ``notes``, and a ``midi`` file of them.
        """
        return self.answer(audio=audio)
