"""Silero VAD, two releases of its network with one face."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Interval
from typing_extensions import TypedDict

from repro.models import Audio, DockerModel, Model

Seconds = Annotated[float, Ge(0.0)]
Probability = Annotated[float, Interval(ge=0.0, le=1.0)]


class Stretch(TypedDict):
    """A part of a recording.

    Attributes
    ----------
    start, end : float
        In seconds.
    """

    start: Seconds
    end: Seconds


class Activity(TypedDict):
    """Where somebody speaks.

    Attributes
    ----------
    speech : list of Stretch
        In order, none overlapping another; empty if nobody speaks.
    probabilities : list of float, in [0, 1]
        For each 32 ms, that there is speech in it; the last one is filled up with zeros.
    """

    speech: list[Stretch]
    probabilities: list[Probability]


@Model.register("silero2021-vad")
class SileroVAD(DockerModel):
    """Find speech in a recording, by the network of release 5.1 (2024).

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    threshold : float, in (0, 1)
        The probability from which on it is speech; it ends 0.15 below.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] Silero Team (2021), Silero VAD: pre-trained enterprise-grade Voice Activity Detector
       (VAD), Number Detector and Language Classifier. Upstream: snakers4/silero-vad, release 5.1.2,
       silero_vad.onnx, unchanged; what is around the network is written without PyTorch.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        threshold: Annotated[float, Interval(gt=0.0, lt=1.0)] = 0.5,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, audio: Audio) -> Activity:
        """Find the speech of one recording.

        Parameters
        ----------
        audio : path of a WAV file
            One channel of 16-bit integers at 8 or 16 kHz.

        Returns
        -------
        Activity
            ``speech``, stretches of at least 0.25 s with 0.03 s before and after, parted by at
            least 0.1 s of silence; ``probabilities`` of its frames.
        """
        return self.answer(audio=audio)


@Model.register("silero2021-vad6")
class SileroVAD6(SileroVAD):
    """Find speech in a recording, by the network of release 6.2 (2025).

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    threshold : float, in (0, 1)
        The probability from which on it is speech; it ends 0.15 below.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] Silero Team (2021), Silero VAD: pre-trained enterprise-grade Voice Activity Detector
       (VAD), Number Detector and Language Classifier. Upstream: snakers4/silero-vad, release 6.2.1,
       silero_vad.onnx, unchanged; what is around the network is written without PyTorch.
    """
