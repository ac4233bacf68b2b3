"""chrF and chrF++ as sacrebleu computes them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Interval, MinLen
from typing_extensions import TypedDict

from repro.data.types import TextType  # noqa: TC001  read off the signature
from repro.models import Model
from repro.models.metric import Metric

# A float's rounding may take the value of two equal texts a little beyond 100.
Percentage = Annotated[float, Interval(ge=0.0, le=100.0 + 1e-9)]
Count = Annotated[int, Ge(0)]


class CHRFScore(TypedDict):
    """chrF over one or more instances.

    Attributes
    ----------
    chrf : float, in [0, 100]
        100 if all are equal to a reference of theirs, but for whitespace.
    """

    chrf: Percentage


class CHRFRow(TypedDict):
    """One instance of a corpus.

    Attributes
    ----------
    chrf : float, in [0, 100]
        chrF of this instance alone. The value over a corpus is not the mean of these.
    statistics : list of int, length 3 N
        What is summed over the corpus, for each of the N orders, first those of characters, then
        those of words: the n-grams of the candidate, those of the reference that scores best, and
        those that the two share.
    """

    chrf: Percentage
    statistics: list[Count]


@Model.register("popovic2015-chrf")
class CHRF(Metric):
    """Score a corpus of translations by the character n-grams that they share with references.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    char_order : int, > 0
        The longest n-grams of characters.
    word_order : int, ≥ 0
        The longest n-grams of words; 2 makes it chrF++.
    beta : int, > 0
        How many times as much recall counts as precision.
    lowercase : bool
        Whether case does not count.
    whitespace : bool
        Whether whitespace counts as characters.
    eps_smoothing : bool
        Whether all orders count, also those for which the texts are too short, as in chrF++.py.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] M. Popović (2015), chrF: character n-gram F-score for automatic MT evaluation, WMT; and
       (2017), chrF++: words helping character n-grams, WMT.
    .. [2] M. Post (2018), A Call for Clarity in Reporting BLEU Scores, WMT. Upstream:
       mjpost/sacrebleu, release 2.6.0, sacrebleu/metrics/chrf.py, unchanged.
    """

    Row: ClassVar[Any] = CHRFRow
    Corpus: ClassVar[Any] = CHRFScore

    def __init__(  # noqa: PLR0913  the options of sacrebleu; they are keywords
        self,
        image: str | None = None,
        *,
        char_order: int = 6,
        word_order: int = 0,
        beta: int = 2,
        lowercase: bool = False,
        whitespace: bool = False,
        eps_smoothing: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> CHRFScore:
        """Score a corpus of one text; `predict_batch` scores all of its texts together.

        Parameters
        ----------
        candidate : str or list of str
            The text; the parts of a list are joined by a space. An empty one scores 0.
        references : list of (str or list of str), length ≥ 1
            What it is compared with; the one that scores best counts.

        Returns
        -------
        CHRFScore
            ``chrf``, in [0, 100].
        """
        return self.answer(candidate=candidate, references=references)
