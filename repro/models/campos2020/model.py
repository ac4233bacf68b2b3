"""YAKE as its authors publish it."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from repro.models import DockerModel, Model


class Keyword(TypedDict):
    """A keyword or key phrase.

    Attributes
    ----------
    keyword : str
        As it is written where the text has it first.
    score : float
        The lower, the more relevant; above 0 but for rare texts.
    """

    keyword: str
    score: float


@Model.register("campos2020-yake")
class YAKE(DockerModel):
    """Find the keywords of a text by its own statistics: place, case, frequency and company.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        The two-letter code of the language, for its stop words; a list for no language stands in
        where it is unknown.
    max_ngram_size : int, ≥ 1
        The most words of a keyword.
    deduplication_threshold : float, in [0, 1]
        Of two keywords that are more similar than this, as strings, the less relevant one is left
        out; 1 keeps all.
    window_size : int, ≥ 1
        How many words to either side are a word's company.
    top : int, ≥ 1
        The most keywords of a text.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] R. Campos, V. Mangaravite, A. Pasquali, A. Jorge, C. Nunes and A. Jatowt (2020), YAKE!
       Keyword Extraction from Single Documents using Multiple Local Features, Information Sciences
       509, section 3. Upstream: LIAAD/yake, release 0.6.0, yake/core/yake.py, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        language: str = "en",
        max_ngram_size: int = 3,
        deduplication_threshold: float = 0.9,
        window_size: int = 1,
        top: int = 20,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> list[Keyword]:
        """Find the keywords of one text.

        Parameters
        ----------
        text : str
            Some sentences in the language. Case counts, line breaks do not.

        Returns
        -------
        list of Keyword
            ``keyword`` and ``score``, the lowest score first; none of a text without content words.
        """
        return self.answer(text=text)
