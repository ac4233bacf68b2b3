"""Exact match and F1 as the evaluation script of SQuAD computes them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Interval, MinLen
from typing_extensions import TypedDict

from repro.models import Model
from repro.models.metric import Metric

# A float's rounding may take the value of equal answers a little beyond 100.
Percentage = Annotated[float, Interval(ge=0.0, le=100.0 + 1e-9)]


class SQuADScores(TypedDict):
    """How good an answer is, or the mean over several; floats without unit.

    Attributes
    ----------
    exact_match : float, in [0, 100]
        100 if the answer is equal to one of those it is compared with, else 0.
    f1 : float, in [0, 100]
        The harmonic mean of precision and recall of its words, as a bag, against the answer for
        which that is highest.
    """

    exact_match: Percentage
    f1: Percentage


@Model.register("rajpurkar2016-squad")
class SQuAD(Metric):
    """Score answers to reading questions by exact match and F1.

    This is the evaluation script of SQuAD 1.1. The value over several answers is the mean of
    theirs; a question without an answer is to be given as one with an empty prediction.

    References
    ----------
    .. [1] P. Rajpurkar, J. Zhang, K. Lopyrev and P. Liang (2016), SQuAD: 100,000+ Questions for
       Machine Comprehension of Text, EMNLP, section 6.1. Upstream: evaluate-v1.1.py, as
       allenai/allennlp 0.9.0 carries it in allennlp/tools/squad_eval.py, unchanged.
    """

    Row: ClassVar[Any] = SQuADScores
    Corpus: ClassVar[Any] = SQuADScores

    def predict(self, prediction: str, answers: Annotated[list[str], MinLen(1)]) -> SQuADScores:
        """Score one answer.

        Parameters
        ----------
        prediction : str
            The answer to score. Before it is compared it is put in lower case, and ASCII
            punctuation, the words "a", "an" and "the" and superfluous whitespace are removed.
        answers : list of str, length ≥ 1
            What people answered, of which the best match counts, for each score its own.

        Returns
        -------
        SQuADScores
            ``exact_match`` and ``f1``, in [0, 100].
        """
        return self.answer(prediction=prediction, answers=answers)
