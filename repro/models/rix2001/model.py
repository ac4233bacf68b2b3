"""PESQ as the ITU-T's C code computes it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Interval
from typing_extensions import TypedDict

from repro.models import Audio, Model
from repro.models.metric import Metric


class Quality(TypedDict):
    """The quality of degraded speech.

    Attributes
    ----------
    mos_lqo : float, in [0.999, 4.999]
        The mean opinion that listeners would have, from bad to excellent, as P.862.1 (narrow band)
        or P.862.2 (wide band) predicts it; over several instances the mean. A signal that is equal
        to its reference has 4.549 in the narrow band, 4.644 in the wide one.
    """

    mos_lqo: Annotated[float, Interval(ge=0.999, le=4.999)]


@Model.register("rix2001-pesq")
class PESQ(Metric):
    """Score degraded speech against the clean recording.

    This is the ITU-T's C code of 2005, as pesq 0.0.4 carries it. The value over several instances
    is the mean of theirs.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    band : {"narrow", "wide"}
        Narrow, as over a telephone, for recordings at 8 or 16 kHz; wide, as over headphones, for
        recordings at 16 kHz.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] A. W. Rix, J. G. Beerends, M. P. Hollier and A. P. Hekstra (2001), Perceptual Evaluation
       of Speech Quality (PESQ) - A New Method for Speech Quality Assessment of Telephone Networks
       and Codecs, ICASSP.
    .. [2] ITU-T Recommendations P.862 (2001), P.862.1 (2003) and P.862.2 (2007). Upstream:
       ludlows/PESQ, release 0.0.4, unchanged.
    """

    Row: ClassVar[Any] = Quality
    Corpus: ClassVar[Any] = Quality

    def __init__(
        self,
        image: str | None = None,
        *,
        band: Literal["narrow", "wide"] = "narrow",
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, reference: Audio, degraded: Audio) -> Quality:
        """Score one recording.

        Parameters
        ----------
        reference : path of a WAV file
            The clean speech: one channel, 8 or 16 kHz, 16-bit integers or floats of 32 or 64 bits,
            a quarter of a second to 20 seconds, and not silent.
        degraded : path of a WAV file
            The same speech after what is to be judged, at the same rate. It may be delayed, and
            longer or shorter. How loud the two are beside each other does not count.

        Returns
        -------
        Quality
            ``mos_lqo``, in [0.999, 4.999]; higher is better.
        """
        return self.answer(reference=reference, degraded=degraded)
