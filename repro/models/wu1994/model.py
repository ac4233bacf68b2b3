"""Similarities of word senses, by their places in WordNet's taxonomy."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]


class Similarities(TypedDict):
    """How similar two senses are; floats without unit.

    Attributes
    ----------
    wup : float in [0, 1], or None
        Wu and Palmer's: twice the depth of the deepest sense that is above both, over the sum of
        the depths of the two below it. 1 for a sense and itself; None if no sense is above both.
    lch : float, or None
        Leacock and Chodorow's: the negative natural logarithm of the length of the shortest path
        over twice the depth of the taxonomy; from 0 to 3.64 for nouns and 3.26 for verbs, and of no
        meaning for others, which have no taxonomy. None if the two are of different parts of
        speech, or there is no path.
    path : float in [0, 1], or None
        One over the number of senses on the shortest path, the two included; None without a path.
    lowest_common_hypernyms : list of str
        The deepest senses that are above both, or one of the two, sorted by name.
    """

    wup: Share | None
    lch: float | None
    path: Share | None
    lowest_common_hypernyms: list[str]


@Model.register("wu1994-similarity")
class Similarity(DockerModel):
    """Compare two word senses by their places in WordNet's taxonomy of nouns, or of verbs.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    simulate_root : bool
        Whether senses without one above both, as most verbs, have a root in common.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] Z. Wu and M. Palmer (1994), Verb Semantics and Lexical Selection, ACL, section 4.
    .. [2] C. Leacock and M. Chodorow (1998), Combining Local Context and WordNet Similarity for
       Word Sense Identification, in: WordNet: An Electronic Lexical Database. Upstream: nltk/nltk,
       release 3.9.1, nltk/corpus/reader/wordnet.py, over WordNet 3.0 as Debian has it.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        simulate_root: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, first: str, second: str) -> Similarities:
        """Compare two senses.

        Parameters
        ----------
        first : str
            A sense of WordNet 3.0 as NLTK names it: a word, its part of speech (n, v, a, s or r),
            and the number of the sense, the most frequent being 01; ``"dog.n.01"``.
        second : str
            The other one.

        Returns
        -------
        Similarities
            ``wup``, ``lch``, ``path`` and ``lowest_common_hypernyms``.
        """
        return self.answer(first=first, second=second)
