"""BERTScore over an encoder that fits into a package."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from annotated_types import Interval, MinLen
from typing_extensions import TypedDict

from repro.data.types import TextType  # noqa: TC001  read off the signature
from repro.models import Model
from repro.models.metric import Metric

# Single precision may take the value of two equal texts a little beyond 1.
Cosine = Annotated[float, Interval(ge=-1.00001, le=1.00001)]
Layers = Annotated[int, Interval(ge=1, le=6)]


class Similarity(TypedDict):
    """How alike two texts are, token by token; means of cosines, without unit.

    Attributes
    ----------
    precision : float, in [-1, 1]
        The mean over the candidate's tokens of the best cosine with a token of the reference.
    recall : float, in [-1, 1]
        The mean over the reference's tokens of the best cosine with a token of the candidate.
    f1 : float
        Their harmonic mean.
    """

    precision: Cosine
    recall: Cosine
    f1: Cosine


@Model.register("zhang2020-bertscore")
class BERTScore(Metric):
    """Score texts against references by the embeddings of their tokens.

    This is bert-score 0.3.13 over the encoder all-MiniLM-L6-v2, without idf weights and without
    rescaling. Its values are those of no publication: for English these use RoBERTa-large. The
    value over several instances is the mean of theirs.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    layers : int, from 1 to 6
        The layer whose states are compared. Nobody has tuned it for this encoder.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] T. Zhang, V. Kishore, F. Wu, K.Q. Weinberger and Y. Artzi (2020), BERTScore: Evaluating
       Text Generation with BERT, ICLR. Upstream: Tiiiger/bert_score, release 0.3.13, unchanged.
    """

    Row: ClassVar[Any] = Similarity
    Corpus: ClassVar[Any] = Similarity

    def __init__(self, image: str | None = None, *, layers: Layers = 6, **common: Any) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> Similarity:
        """Score one text.

        Parameters
        ----------
        candidate : str or list of str
            The text; the parts of a list are joined by a space. Case does not count. What is beyond
            512 tokens does not count.
        references : list of (str or list of str), length ≥ 1
            What it is compared with; of several the best value counts, for each score its own.

        Returns
        -------
        Similarity
            ``precision``, ``recall`` and ``f1``.
        """
        return self.answer(candidate=candidate, references=references)
