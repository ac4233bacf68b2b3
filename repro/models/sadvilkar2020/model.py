"""Sentence boundaries with pySBD, a port of Pragmatic Segmenter."""

from __future__ import annotations

from typing import Any, Literal

from repro.models import DockerModel, Model

Language = Literal[
    "am", "ar", "bg", "da", "de", "el", "en", "es", "fa", "fr", "hi", "hy", "it", "ja", "kk", "mr",
    "my", "nl", "pl", "ru", "sk", "ur", "zh",
]  # fmt: skip


@Model.register("sadvilkar2020-pysbd")
class PySBD(DockerModel):
    """Split a text into its sentences by rules over abbreviations, numbers, lists and quotations.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        The ISO 639-1 code of the language of the texts, one of 23.
    clean : bool
        Whether the text is cleaned first: lines that were broken within a sentence are joined;
        marks of HTML, superfluous whitespace and the like are removed.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] N. Sadvilkar and M. Neumann (2020), PySBD: Pragmatic Sentence Boundary Disambiguation,
       NLP-OSS. Upstream: nipunsadvilkar/pySBD, release 0.3.4, pysbd/segmenter.py, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        language: Language = "en",
        clean: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> list[str]:
        """Split one text.

        Parameters
        ----------
        text : str
            Of any number of sentences. An end of a line ends a sentence, unless it is cleaned away.

        Returns
        -------
        list of str
            The sentences in their order, without whitespace around them; none of an empty text.
        """
        return self.answer(text=text)
