"""Two programs that find faces with a cascade of simple features."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Len
from typing_extensions import TypedDict

from repro.models import DockerModel, Image, Model

Cascade = Literal[
    "frontalface_default",
    "frontalface_alt",
    "frontalface_alt2",
    "frontalface_alt_tree",
    "profileface",
]
Count = Annotated[int, Ge(0)]
Factor = Annotated[float, Gt(1.0)]
Pixels = Annotated[int, Gt(0)]


class Faces(TypedDict):
    """The faces of a picture.

    Attributes
    ----------
    count : int, ≥ 0
        How many there are.
    faces : list of lists of 4 ints, ≥ 0
        Left, top, width and height of each in pixels; from left to right.
    """

    count: Count
    faces: list[Annotated[list[Count], Len(4, 4)]]


@Model.register("viola2001-opencv")
class HaarFaces(DockerModel):
    """Find faces with a cascade of Haar-like features, by OpenCV.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    cascade : str
        Which of the cascades that come with OpenCV: of faces from the front
        ``"frontalface_default"``, ``"frontalface_alt"``, ``"frontalface_alt2"`` or
        ``"frontalface_alt_tree"``, of faces from the side ``"profileface"``.
    scale : float, > 1
        How much the window grows from one search to the next.
    neighbors : int, ≥ 0
        How many windows must agree on a face.
    smallest : int, > 0
        The least width and height of a face, in pixels.
    equalize : bool
        Whether the grey levels are spread evenly first.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Viola and M. Jones (2001), Rapid Object Detection using a Boosted Cascade of Simple
       Features, CVPR. Upstream: opencv/opencv, release 4.10.0,
       modules/objdetect/src/cascadedetect.cpp, unchanged, with the cascades of R. Lienhart.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        cascade: Cascade = "frontalface_default",
        scale: Factor = 1.1,
        neighbors: Count = 5,
        smallest: Pixels = 30,
        equalize: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, image: Image) -> Faces:
        """Find the faces of one picture.

        Parameters
        ----------
        image : path
            A file in a format that OpenCV reads, such as PNG, JPEG or TIFF. Colours do not count.

        Returns
        -------
        Faces
            Their number and places.
        """
        return self.answer(image=image)


@Model.register("viola2001-skimage")
class LBPFaces(DockerModel):
    """Find faces with a cascade of local binary patterns, by scikit-image.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    scale : float, > 1
        How much the window grows from one search to the next.
    step : float, > 0
        How far the window moves; 1 is every place, more is faster.
    smallest, largest : int, > 0
        The least and the greatest width and height of a window, in pixels.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Viola and M. Jones (2001), Rapid Object Detection using a Boosted Cascade of Simple
       Features, CVPR.
    .. [2] L. Zhang, R. Chu, S. Xiang, S. Liao and S.Z. Li (2007), Face Detection Based on
       Multi-Block LBP Representation, ICB. Upstream: scikit-image/scikit-image, release 0.24.0,
       skimage/feature/_cascade.pyx, unchanged, with its cascade of faces from the front.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        scale: Factor = 1.2,
        step: Annotated[float, Gt(0.0)] = 1.0,
        smallest: Pixels = 60,
        largest: Pixels = 123,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, image: Image) -> Faces:
        """Find the faces of one picture.

        Parameters
        ----------
        image : path
            A file in a format that OpenCV reads, such as PNG, JPEG or TIFF.

        Returns
        -------
        Faces
            Their number and places.
        """
        return self.answer(image=image)
