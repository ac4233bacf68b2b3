"""madmom with its recurrent networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Interval
from typing_extensions import TypedDict

from repro.models import Audio, DockerModel, Model

if TYPE_CHECKING:
    from collections.abc import Sequence

Seconds = Annotated[float, Ge(0.0)]


class Beat(TypedDict):
    """A beat.

    Attributes
    ----------
    time : float, seconds
        Where it is, in steps of 10 ms.
    position : int
        Which one of its bar; 1 is the downbeat.
    """

    time: Seconds
    position: Annotated[int, Ge(1)]


class Tempo(TypedDict):
    """A tempo that music may have.

    Attributes
    ----------
    bpm : float, beats per minute
        Between 40 and 250.
    strength : float, in [0, 1]
        Its share in all that were found.
    """

    bpm: Annotated[float, Gt(0.0)]
    strength: Annotated[float, Interval(ge=0.0, le=1.0)]


@Model.register("boeck2016-downbeats")
class MadmomDownbeats(DockerModel):
    """Find beats and downbeats in music.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    beats_per_bar : sequence of int
        Which bars there may be: of 3 and of 4 beats by default.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] S. Böck, F. Krebs and G. Widmer (2016), Joint Beat and Downbeat Tracking with Recurrent
       Neural Networks, ISMIR. Upstream: madmom 0.16.1, DBNDownBeatTracker, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        beats_per_bar: Sequence[int] = (3, 4),
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, audio: Audio) -> list[Beat]:
        """Find the beats of one piece.

        Parameters
        ----------
        audio : path
            A WAV file of 16 bits a sample and at least 0.1 s; anything else is a ValueError. Any
            number of channels, which are averaged; any rate, though 44,100 Hz is what is expected.

        Returns
        -------
        list of Beat
            In order of time; none where nothing is found.
        """
        return self.answer(audio=audio)


@Model.register("boeck2016-beats")
class MadmomBeats(DockerModel):
    """Find the beats in music.

    References
    ----------
    .. [1] S. Böck and M. Schedl (2011), Enhanced Beat Tracking with Context-Aware Neural Networks,
       DAFx.
    .. [2] S. Böck, F. Krebs and G. Widmer (2016), Joint Beat and Downbeat Tracking with Recurrent
       Neural Networks, ISMIR. Upstream: madmom 0.16.1, DBNBeatTracker, unchanged.
    """

    def predict(self, audio: Audio) -> list[Seconds]:
        """Find the beats of one piece.

        Parameters
        ----------
        audio : path
            A WAV file of 16 bits a sample and at least 0.1 s; anything else is a ValueError. Any
            number of channels, which are averaged; any rate, though 44,100 Hz is what is expected.

        Returns
        -------
        list of float, seconds
            In order, in steps of 10 ms; none where nothing is found.
        """
        return self.answer(audio=audio)


@Model.register("boeck2016-tempo")
class MadmomTempo(DockerModel):
    """Estimate the tempo of music.

    References
    ----------
    .. [1] S. Böck, F. Krebs and G. Widmer (2015), Accurate Tempo Estimation based on Recurrent
       Neural Networks and Resonating Comb Filters, ISMIR.
    .. [2] S. Böck, F. Krebs and G. Widmer (2016), Joint Beat and Downbeat Tracking with Recurrent
       Neural Networks, ISMIR. Upstream: madmom 0.16.1, TempoDetector, unchanged.
    """

    def predict(self, audio: Audio) -> list[Tempo]:
        """Estimate the tempo of one piece.

        Parameters
        ----------
        audio : path
            A WAV file of 16 bits a sample and at least 0.1 s; anything else is a ValueError. Any
            number of channels, which are averaged; any rate, though 44,100 Hz is what is expected.

        Returns
        -------
        list of Tempo
            The strongest first; none where there is no beat.
        """
        return self.answer(audio=audio)
