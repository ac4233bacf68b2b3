"""PP-OCR, which finds and reads text in pictures."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Interval, Len
from typing_extensions import TypedDict

from repro.models import DockerModel, Image, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
Point = Annotated[list[Annotated[float, Ge(0.0)]], Len(2, 2)]


class TextLine(TypedDict):
    """A line of text in a picture.

    Attributes
    ----------
    text : str
        What it reads.
    score : float, in [0, 1]
        How sure the recogniser is, to five digits.
    box : list of 4 pairs of floats, ≥ 0
        The corners from the top left, clockwise: to the right and down, in pixels.
    """

    text: str
    score: Share
    box: Annotated[list[Point], Len(4, 4)]


class Text(TypedDict):
    """The text of a picture.

    Attributes
    ----------
    lines : list of TextLine
        From top to bottom and left to right; empty where no text is found.
    """

    lines: list[TextLine]


@Model.register("du2020-ppocr")
class PPOCR(DockerModel):
    """Find and read the lines of text in a picture, Chinese or English.

    Three networks work one after the other: the first finds lines, the second turns those that are
    upside down, the third reads. They are those of PP-OCRv4, but for the second, of 2.0.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    min_score : float, in [0, 1]
        How sure the recogniser must be of a line.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] Y. Du, C. Li, R. Guo, X. Yin, W. Liu, J. Zhou, Y. Bai, Z. Yu, Y. Yang, Q. Dang and H.
       Wang (2020), PP-OCR: A Practical Ultra Lightweight OCR System, arXiv 2009.09941. Upstream:
       RapidAI/RapidOCR, release 1.4.4 of rapidocr-onnxruntime, unchanged, with the networks of
       PaddlePaddle/PaddleOCR that are in it.
    """

    def __init__(self, image: str | None = None, *, min_score: Share = 0.5, **common: Any) -> None:
        super().__init__(image, **common)

    def predict(self, image: Image) -> Text:
        """Read one picture.

        Parameters
        ----------
        image : path
            A file in a format that Pillow reads, such as PNG or JPEG: a photograph, a screen, a
            page. A side of more than 2,000 pixels is shrunk.

        Returns
        -------
        Text
            Its lines, with their places.
        """
        return self.answer(image=image)
