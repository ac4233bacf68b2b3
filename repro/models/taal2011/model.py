"""STOI and extended STOI as pystoi computes them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Interval
from typing_extensions import TypedDict

from repro.models import Audio, Model
from repro.models.metric import Metric


class Intelligibility(TypedDict):
    """How well degraded speech can be understood.

    Attributes
    ----------
    stoi : float, in [-1, 1]
        A mean of correlations with the clean speech: 1 is equal, 0 is without relation; higher is
        better. It rises with the share of words that listeners understand, and is not that share.
        Over several instances the mean.
    """

    stoi: Annotated[float, Interval(ge=-1.000001, le=1.000001)]


@Model.register("taal2011-stoi")
class STOI(Metric):
    """Score how well degraded speech can be understood, against the clean recording.

    The value over several instances is the mean of theirs.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    extended : bool
        Whether it is extended STOI (Jensen & Taal, 2016), made for noise that comes and goes.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] C. H. Taal, R. C. Hendriks, R. Heusdens and J. Jensen (2011), An Algorithm for
       Intelligibility Prediction of Time-Frequency Weighted Noisy Speech, IEEE Transactions on
       Audio, Speech, and Language Processing 19 (7).
    .. [2] J. Jensen and C. H. Taal (2016), An Algorithm for Predicting the Intelligibility of
       Speech Masked by Modulated Noise Maskers, IEEE/ACM Transactions on Audio, Speech, and
       Language Processing 24 (11). Upstream: mpariente/pystoi, release 0.4.1, unchanged.
    """

    Row: ClassVar[Any] = Intelligibility
    Corpus: ClassVar[Any] = Intelligibility

    def __init__(
        self,
        image: str | None = None,
        *,
        extended: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, reference: Audio, degraded: Audio) -> Intelligibility:
        """Score one recording.

        Parameters
        ----------
        reference : path of a WAV file
            The clean speech: one channel, any rate (10 kHz is used), 16-bit integers or floats of
            32 or 64 bits, at least 0.4 s besides silence.
        degraded : path of a WAV file
            The same speech after what is to be judged: the same rate and length, and not delayed.
            How loud it is does not count.

        Returns
        -------
        Intelligibility
            ``stoi``, in [-1, 1]; higher is better.
        """
        return self.answer(reference=reference, degraded=degraded)
