"""TER as sacrebleu computes it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Ge, MinLen
from typing_extensions import TypedDict

from repro.data.types import TextType  # noqa: TC001  read off the signature
from repro.models import Model
from repro.models.metric import Metric

Rate = Annotated[float, Ge(0.0)]
Count = Annotated[int, Ge(0)]


class TERScore(TypedDict):
    """TER over one or more instances.

    Attributes
    ----------
    ter : float, ≥ 0
        Edits for 100 words of reference; the lower, the better. It may be more than 100.
    """

    ter: Rate


class TERRow(TypedDict):
    """One instance of a corpus.

    Attributes
    ----------
    ter : float, ≥ 0
        TER of this instance alone. The value over a corpus is not the mean of these.
    edits : int
        Words to insert, delete or replace and runs of words to move, until the candidate is the
        reference for which they are fewest.
    reference_length : float
        The mean length of the references, in words. It and the edits are summed over the corpus.
    """

    ter: Rate
    edits: Count
    reference_length: Rate


@Model.register("snover2006-ter")
class TER(Metric):
    """Score a corpus of translations by the edits that would make them equal to a reference.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    normalized : bool
        Whether punctuation is made tokens of its own, and XML entities are read.
    no_punct : bool
        Whether punctuation is left out.
    asian_support : bool
        Whether the two above apply to Chinese and Japanese characters too.
    case_sensitive : bool
        Whether case counts.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] M. Snover, B. Dorr, R. Schwartz, L. Micciulla and J. Makhoul (2006), A Study of
       Translation Edit Rate with Targeted Human Annotation, AMTA.
    .. [2] M. Post (2018), A Call for Clarity in Reporting BLEU Scores, WMT. Upstream:
       mjpost/sacrebleu, release 2.6.0, sacrebleu/metrics/ter.py, unchanged.
    """

    Row: ClassVar[Any] = TERRow
    Corpus: ClassVar[Any] = TERScore

    def __init__(
        self,
        image: str | None = None,
        *,
        normalized: bool = False,
        no_punct: bool = False,
        asian_support: bool = False,
        case_sensitive: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> TERScore:
        """Score a corpus of one text; `predict_batch` scores all of its texts together.

        Parameters
        ----------
        candidate : str or list of str
            The text; the parts of a list are joined by a space. An empty one scores 100, or 0 if
            the references are empty too. The time grows with more than the square of the length: a
            sentence takes 10 ms, a text of 240 words 12 s.
        references : list of (str or list of str), length ≥ 1
            What it is compared with.

        Returns
        -------
        TERScore
            ``ter``, ≥ 0.
        """
        return self.answer(candidate=candidate, references=references)
