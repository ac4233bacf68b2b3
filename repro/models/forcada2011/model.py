"""Apertium with the data for English, Spanish and Catalan."""

from __future__ import annotations

from typing import Any, Literal

from repro.models import DockerModel, Model

Pair = Literal["eng-spa", "spa-eng", "spa-cat", "cat-spa", "spa-cat_valencia", "spa-eng_US"]


@Model.register("forcada2011-apertium")
class Apertium(DockerModel):
    """Translate by rules between English and Spanish, and between Spanish and Catalan.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    pair : str
        From which language into which, by their codes of three letters: ``"spa-cat"``,
        ``"cat-spa"``, ``"eng-spa"``, ``"spa-eng"``; ``"spa-cat_valencia"`` is into Valencian,
        ``"spa-eng_US"`` into American spelling.
    mark_unknown : bool
        Whether a word that is not in the dictionary has an asterisk before it.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] M.L. Forcada, M. Ginestí-Rosell, J. Nordfalk, J. O'Regan, S. Ortiz-Rojas, J.A.
       Pérez-Ortiz, F. Sánchez-Martínez, G. Ramírez-Sánchez and F.M. Tyers (2011), Apertium: a
       free/open-source platform for rule-based machine translation, Machine Translation 25 (2).
       Upstream: apertium 3.8.3, apertium-eng-spa 0.8.1 and apertium-spa-cat 2.2.0, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        pair: Pair = "spa-cat",
        mark_unknown: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> str:
        """Translate one text.

        Parameters
        ----------
        text : str
            In the first language of the pair, of any length. Line breaks are kept.

        Returns
        -------
        str
            The text in the other language; words that are not known are as they were.
        """
        return self.answer(text=text)
