"""Tesseract, which reads printed text."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Interval, Len
from typing_extensions import TypedDict

from repro.models import DockerModel, Image, Model

Box = Annotated[list[Annotated[int, Ge(0)]], Len(4, 4)]


class Word(TypedDict):
    """A word of a page.

    Attributes
    ----------
    text : str
        What it reads.
    confidence : float, in [0, 100]
        How sure the recogniser is, in per cent.
    box : list of 4 ints, ≥ 0
        Left, top, width and height, in pixels.
    """

    text: str
    confidence: Annotated[float, Interval(ge=0.0, le=100.0)]
    box: Box


class Page(TypedDict):
    """The text of an image.

    Attributes
    ----------
    text : str
        All of it, with its lines, in the order of reading; paragraphs are parted by an empty line.
        Empty or white space where no text is found.
    words : list of Word
        The same, one by one.
    """

    text: str
    words: list[Word]


@Model.register("smith2007-tesseract")
class Tesseract(DockerModel):
    """Read the printed text of an image.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        ``"eng"``, or ``"Latin"`` for all languages that are written in Latin letters.
    segmentation : int, from 3 to 13
        What the image is taken for, as Tesseract counts: 3 is a page, 4 a column, 6 a block, 7 a
        line, 8 a word, 10 a letter, 11 text here and there.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] R. Smith (2007), An Overview of the Tesseract OCR Engine, ICDAR. Upstream:
       tesseract-ocr/tesseract, release 5.3.0, with the models of tessdata_fast 4.1.0, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        language: Literal["eng", "Latin"] = "eng",
        segmentation: Annotated[int, Interval(ge=3, le=13)] = 3,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, image: Image) -> Page:
        """Read one image.

        Parameters
        ----------
        image : path
            A file in a format that Leptonica reads, such as PNG, JPEG or TIFF (of which the first
            page counts); best with 300 dots an inch, dark on light.

        Returns
        -------
        Page
            Its text, and the words with their places.
        """
        return self.answer(image=image)
