"""Magika, which tells the type of a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, File, Model

Mode = Literal["high_confidence", "medium_confidence", "best_guess"]


class FileType(TypedDict):
    """The type of a file.

    Attributes
    ----------
    label : str
        Its name, such as ``python``; ``txt`` or ``unknown`` for text or bytes whose type is not
        sure, and ``empty``.
    description : str
        Its name in words, such as ``Python source``.
    group : str
        What kind of type it is, such as ``code``, ``image`` or ``archive``.
    mime_type : str
        Its media type, such as ``text/x-python``.
    is_text : bool
        Whether a file of this type is text.
    score : float, in [0, 1]
        How sure the network is of `guess`, to six digits after the point; 1 where it was not asked.
    guess : str
        The label that the network found most likely; ``undefined`` where it was not asked: a file
        of less than eight bytes or of white space alone.
    overwritten : str
        Why `label` is not `guess`: ``low_confidence``, or ``overwrite_map`` for a type that is
        always called by a broader one; else ``none``.
    """

    label: str
    description: str
    group: str
    mime_type: str
    is_text: bool
    score: Annotated[float, Interval(ge=0.0, le=1.0)]
    guess: str
    overwritten: Literal["none", "low_confidence", "overwrite_map"]


@Model.register("fratantonio2024-magika")
class Magika(DockerModel):
    """Tell what type a file has, by a small neural network over its first and last 1,024 bytes.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    mode : str
        How sure the network must be before its guess is taken: ``"high_confidence"``, as sure as a
        threshold for each type says; ``"medium_confidence"``, one half; ``"best_guess"``, not.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] Y. Fratantonio, L. Invernizzi, L. Farah, K. Thomas, M. Zhang, A. Albertini, F. Galilee,
       G. Metitieri, J. Cretin, A. Petit-Bianco, D. Tao and E. Bursztein (2025), Magika: AI-Powered
       Content-Type Detection, ICSE. Upstream: google/magika, Python release 0.6.2 with the model
       standard_v3_3, unchanged.
    """

    def __init__(
        self, image: str | None = None, *, mode: Mode = "high_confidence", **common: Any
    ) -> None:
        super().__init__(image, **common)

    def predict(self, file: File) -> FileType:
        """Tell the type of one file.

        Parameters
        ----------
        file : path
            Of any type and size. Its name does not count.

        Returns
        -------
        FileType
            The type's names, and how sure the network is.
        """
        return self.answer(file=file)
