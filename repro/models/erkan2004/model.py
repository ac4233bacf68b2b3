"""LexRank as the package lexrank computes it."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, MinLen
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Documents = Annotated[list[list[str]], MinLen(1)]
Centrality = Annotated[float, Ge(0.0)]


class RankedSummary(TypedDict):
    """The most central sentences of some documents.

    Attributes
    ----------
    summary : list of str
        Those with the highest scores, the highest first; of equal ones a later one comes first.
    scores : list of float, ≥ 0
        One for each sentence, in the order of the documents and of their sentences. Their mean is
        1: a score is the probability that a random walk over the graph is at the sentence, times
        the number of sentences.
    """

    summary: list[str]
    scores: list[Centrality]


@Model.register("erkan2004-lexrank")
class LexRank(DockerModel):
    """Summarize documents by the sentences that are similar to many central ones.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    threshold : float, in [0, 1)
        Sentences are linked if their similarity is above it, all links being equal.
    continuous : bool
        Whether all sentences are linked, and a link counts as much as its similarity.
    summary_size : int, ≥ 1
        How many sentences a summary has.
    stopwords : str
        The two-letter code of the language whose stop words are left out, one of 22; none if empty.
    keep_numbers : bool
        Whether words with digits count.
    digits : int, ≥ 0
        The decimal places that scores are rounded to.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] G. Erkan and D.R. Radev (2004), LexRank: Graph-based Lexical Centrality as Salience in
       Text Summarization, JAIR 22, section 3. Upstream: crabcamp/lexrank, release 0.1.0,
       lexrank/algorithms/summarizer.py, unchanged. It has no damping: each connected part of the
       graph is ranked by itself.
    """

    def __init__(  # noqa: PLR0913  the options of lexrank; they are keywords
        self,
        image: str | None = None,
        *,
        threshold: float = 0.03,
        continuous: bool = False,
        summary_size: int = 1,
        stopwords: str = "",
        keep_numbers: bool = False,
        digits: int = 9,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, documents: Documents, background: list[list[str]] | None = None
    ) -> RankedSummary:
        """Summarize one cluster of documents.

        Parameters
        ----------
        documents : list of (list of str), length ≥ 1
            The documents, each a list of sentences.
        background : list of (list of str), optional
            The documents that tell how much a word weighs: the fewer have it, the more. Those of
            the cluster by default, or the sentences of a single one.

        Returns
        -------
        RankedSummary
            ``summary``, and ``scores`` ≥ 0 of all sentences.
        """
        return self.answer(documents=documents, background=background)
