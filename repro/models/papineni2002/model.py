"""BLEU as sacrebleu computes it, of a corpus and of sentences."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Interval, MinLen
from typing_extensions import TypedDict

from repro.data.types import TextType  # noqa: TC001  read off the signature
from repro.models import Model
from repro.models.metric import Metric

# A float's rounding may take the value of two equal texts a little beyond 100.
Percentage = Annotated[float, Interval(ge=0.0, le=100.0 + 1e-9)]
Count = Annotated[int, Ge(0)]
Tokenizer = Literal["13a", "intl", "char", "zh", "none"]
Smoothing = Literal["exp", "floor", "add-k", "none"]


class BLEUScore(TypedDict):
    """BLEU over one or more instances.

    Attributes
    ----------
    bleu : float, in [0, 100]
        100 if all are equal to a reference of theirs.
    """

    bleu: Percentage


class BLEURow(TypedDict):
    """One instance of a corpus.

    Attributes
    ----------
    bleu : float, in [0, 100]
        BLEU of this instance alone, with the effective order. The value over a corpus is not the
        mean of these.
    statistics : list of int, length 2 + 2 N
        What is summed over the corpus: the tokens of the candidate, those of the reference that is
        closest in length, the n-grams that are in a reference (n from 1 to N, the largest order),
        and all n-grams of the candidate.
    """

    bleu: Percentage
    statistics: list[Count]


class SentBLEUScore(TypedDict):
    """BLEU of one instance, or the mean over several.

    Attributes
    ----------
    sentbleu : float, in [0, 100]
        100 if the candidate is equal to a reference.
    """

    sentbleu: Percentage


@Model.register("papineni2002-bleu")
class BLEU(Metric):
    """Score a corpus of translations by the n-grams that they share with references.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    tokenize : {"13a", "intl", "char", "zh", "none"}
        How texts become tokens. Those that need a download or a dictionary are not in the image.
    lowercase : bool
        Whether case does not count.
    smooth_method : {"exp", "floor", "add-k", "none"}
        What stands in for a precision of 0.
    smooth_value : float, optional
        The number for ``"floor"`` (0.1 by default) and ``"add-k"`` (1).
    max_ngram_order : int, > 0
        The longest n-grams.
    effective_order : bool
        Whether orders for which the candidates are too short are left out of the corpus value.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] K. Papineni, S. Roukos, T. Ward and W.-J. Zhu (2002), BLEU: a Method for Automatic
       Evaluation of Machine Translation, ACL, section 2.
    .. [2] M. Post (2018), A Call for Clarity in Reporting BLEU Scores, WMT. Upstream:
       mjpost/sacrebleu, release 2.6.0, sacrebleu/metrics/bleu.py, unchanged.
    """

    Row: ClassVar[Any] = BLEURow
    Corpus: ClassVar[Any] = BLEUScore

    def __init__(  # noqa: PLR0913  the options of sacrebleu; they are keywords
        self,
        image: str | None = None,
        *,
        tokenize: Tokenizer = "13a",
        lowercase: bool = False,
        smooth_method: Smoothing = "exp",
        smooth_value: float | None = None,
        max_ngram_order: int = 4,
        effective_order: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> BLEUScore:
        """Score a corpus of one text; `predict_batch` scores all of its texts together.

        Parameters
        ----------
        candidate : str or list of str
            The text; the parts of a list are joined by a space. An empty one scores 0.
        references : list of (str or list of str), length ≥ 1
            What it is compared with. Each instance may have another number of them.

        Returns
        -------
        BLEUScore
            ``bleu``, in [0, 100].
        """
        return self.answer(candidate=candidate, references=references)


@Model.register("papineni2002-sentbleu")
class SentBLEU(Metric):
    """Score translations one by one, by the n-grams that they share with references.

    The value over several is the mean of theirs, which is not the BLEU of the corpus.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    tokenize : {"13a", "intl", "char", "zh", "none"}
        How texts become tokens. Those that need a download or a dictionary are not in the image.
    lowercase : bool
        Whether case does not count.
    smooth_method : {"exp", "floor", "add-k", "none"}
        What stands in for a precision of 0.
    smooth_value : float, optional
        The number for ``"floor"`` (0.1 by default) and ``"add-k"`` (1).
    max_ngram_order : int, > 0
        The longest n-grams.
    effective_order : bool
        Whether orders for which the candidate is too short are left out.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] K. Papineni, S. Roukos, T. Ward and W.-J. Zhu (2002), BLEU: a Method for Automatic
       Evaluation of Machine Translation, ACL, section 2.
    .. [2] M. Post (2018), A Call for Clarity in Reporting BLEU Scores, WMT. Upstream:
       mjpost/sacrebleu, release 2.6.0, sacrebleu/metrics/bleu.py, ``sentence_score``, unchanged.
    """

    Row: ClassVar[Any] = SentBLEUScore
    Corpus: ClassVar[Any] = SentBLEUScore

    def __init__(  # noqa: PLR0913  the options of sacrebleu; they are keywords
        self,
        image: str | None = None,
        *,
        tokenize: Tokenizer = "13a",
        lowercase: bool = False,
        smooth_method: Smoothing = "exp",
        smooth_value: float | None = None,
        max_ngram_order: int = 4,
        effective_order: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> SentBLEUScore:
        """Score one text.

        Parameters
        ----------
        candidate : str or list of str
            The text; the parts of a list are joined by a space. An empty one scores 0.
        references : list of (str or list of str), length ≥ 1
            What it is compared with.

        Returns
        -------
        SentBLEUScore
            ``sentbleu``, in [0, 100].
        """
        return self.answer(candidate=candidate, references=references)
