"""METEOR as its authors' program computes it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Interval, Len, MinLen
from typing_extensions import TypedDict

from repro.data.types import TextType  # noqa: TC001  read off the signature
from repro.models import Model
from repro.models.metric import Metric

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
Count = Annotated[int, Ge(0)]
STATISTICS = 23


class METEORScore(TypedDict):
    """METEOR over one or more instances.

    Attributes
    ----------
    meteor : float, in [0, 1]
        1 if all are equal to a reference of theirs. Rounded to 12 digits after the point.
    """

    meteor: Share


class METEORRow(TypedDict):
    """One instance of a corpus.

    Attributes
    ----------
    meteor : float, in [0, 1]
        METEOR of this instance alone. The value over a corpus is not the mean of these.
    statistics : list of int, length 23
        What is summed over the corpus, of the candidate and of the reference that scores best: the
        words of the two, their function words; for each of the stages exact, stem, synonym and
        paraphrase the matched content words of the two and the matched function words of the two;
        the chunks; the matched words of the two.
    """

    meteor: Share
    statistics: Annotated[list[Count], Len(STATISTICS, STATISTICS)]


@Model.register("denkowski2014-meteor")
class METEOR(Metric):
    """Score a corpus of English translations or captions by aligning words with references.

    This is METEOR 1.5, a program in Java (2014), tuned to human rankings of translations. The value
    over several instances is that of the corpus, from their summed statistics.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    norm : bool
        Whether METEOR tokenizes the texts, normalises their punctuation, and puts them in lower
        case; without it they must have been prepared.
    coco : bool
        Whether texts are tokenized before that as the evaluation of COCO captions does it, which
        also removes punctuation.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] M. Denkowski and A. Lavie (2014), Meteor Universal: Language Specific Translation
       Evaluation for Any Target Language, WMT. Upstream: cmu-mtlab/meteor, release 1.5, as
       salaniz/pycocoevalcap 1.2 carries it in meteor/meteor-1.5.jar, which writes sufficient
       statistics for a corpus; with the arguments ``-l en -norm``.
    """

    Row: ClassVar[Any] = METEORRow
    Corpus: ClassVar[Any] = METEORScore

    def __init__(
        self,
        image: str | None = None,
        *,
        norm: bool = True,
        coco: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> METEORScore:
        """Score one text.

        Parameters
        ----------
        candidate : str or list of str
            The text, in English; the parts of a list are joined by a space. An empty one scores 0.
        references : list of (str or list of str), length ≥ 1
            What it is compared with; the one that scores best counts.

        Returns
        -------
        METEORScore
            ``meteor``, in [0, 1].
        """
        return self.answer(candidate=candidate, references=references)
