"""CIDEr-D as the evaluation of COCO captions computes it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Interval, MinLen
from typing_extensions import TypedDict

from repro.data.types import TextType  # noqa: TC001  read off the signature
from repro.models import Model
from repro.models.metric import Metric

# A float's rounding may take the value of two equal texts a little beyond 10.
Score = Annotated[float, Interval(ge=0.0, le=10.0 + 1e-9)]


class CIDErScore(TypedDict):
    """CIDEr-D over a corpus.

    Attributes
    ----------
    cider : float, in [0, 10]
        The mean of `instances`; 10 if all are equal to all of their references.
    instances : list of float, in [0, 10]
        CIDEr-D of each instance, in their order. It depends on the references of all the others.
    """

    cider: Score
    instances: list[Score]


class CIDErRow(TypedDict):
    """One instance of a corpus, which has no value of its own.

    Attributes
    ----------
    candidate : str
        In lower case, tokens with spaces between, without punctuation.
    references : list of str, length ≥ 1
        The same of the references.
    """

    candidate: str
    references: list[str]


@Model.register("vedantam2015-cider")
class CIDEr(Metric):
    """Score a corpus of image captions by the n-grams that they share with people's.

    An n-gram weighs the less the more images it is in the references of, so a value means
    something over a corpus alone: of one instance it is 0. This is CIDEr-D, which counts no n-gram
    more often than the reference has it, and penalizes a difference in length.

    References
    ----------
    .. [1] R. Vedantam, C.L. Zitnick and D. Parikh (2015), CIDEr: Consensus-based Image Description
       Evaluation, CVPR. Upstream: salaniz/pycocoevalcap 1.2, cider/cider_scorer.py, unchanged,
       and the PTBTokenizer of Stanford CoreNLP 3.4.1.
    """

    Row: ClassVar[Any] = CIDErRow
    Corpus: ClassVar[Any] = CIDErScore

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> CIDErScore:
        """Score one caption as a corpus of its own, which is 0: use `predict_batch`.

        Parameters
        ----------
        candidate : str or list of str
            The caption; the parts of a list are joined by a space.
        references : list of (str or list of str), length ≥ 1
            What people wrote of the same image.

        Returns
        -------
        CIDErScore
            ``cider`` and the value of the instance, in [0, 10].
        """
        return self.answer(candidate=candidate, references=references)
