"""BART-large, tuned on CNN/DailyMail."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Interval

from repro.data.types import DocumentType  # noqa: TC001  read off the signature
from repro.models import DockerModel, Model

Tokens = Annotated[int, Interval(ge=1, le=1024)]


@Model.register("lewis2020-bart")
class BART(DockerModel):
    """Summarize an article in a few sentences of its own.

    This is bart-large-cnn, the authors' weights after tuning on CNN/DailyMail, over transformers
    4.40.2 and PyTorch 1.13, with the beam search that its configuration says: four beams, length
    penalty 2, no sequence of three tokens twice.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    min_length, max_length : int, from 1 to 1024
        The fewest and the most tokens of a summary, its marks of beginning and end included.
    sentence_lines : bool
        Whether each sentence of a summary is on a line of its own, as ROUGE-L over summaries takes
        them; they are told by their last character.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] M. Lewis, Y. Liu, N. Goyal, M. Ghazvininejad, A. Mohamed, O. Levy, V. Stoyanov and
       L. Zettlemoyer (2020), BART: Denoising Sequence-to-Sequence Pre-training for Natural Language
       Generation, Translation, and Comprehension, ACL. Weights: facebook/bart-large-cnn, revision
       37f520fa.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        min_length: Tokens = 56,
        max_length: Tokens = 142,
        sentence_lines: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, document: DocumentType) -> str:
        """Summarize one article.

        Parameters
        ----------
        document : str or list of str
            English; the parts of a list are joined by a space. What is beyond 1,024 tokens does not
            count.

        Returns
        -------
        str
            The summary, empty at worst.
        """
        return self.answer(document=document)
