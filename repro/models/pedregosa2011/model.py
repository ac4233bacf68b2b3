"""A decision tree, a support vector machine and a neural network that read digits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Interval, Len

from repro.models import DockerModel, Model

Intensity = Annotated[float, Interval(ge=0, le=16)]
Line = Annotated[list[Intensity], Len(8, 8)]
Image = Annotated[list[Line], Len(8, 8)]
Digit = Annotated[int, Interval(ge=0, le=9)]
Strategy = Literal[
    "adam",
    "constant",
    "constant-momentum",
    "constant-nesterov",
    "invscaling",
    "invscaling-momentum",
    "invscaling-nesterov",
]


@Model.register("pedregosa2011-tree")
class DigitTree(DockerModel):
    """Read handwritten digits with a decision tree.

    This is `DecisionTreeClassifier` of scikit-learn 1.3.2 with its defaults and the seed 0, trained
    on two thirds of the digits that ship with it (1,203 images).

    References
    ----------
    .. [1] F. Pedregosa et al. (2011), Scikit-learn: Machine Learning in Python, Journal of Machine
       Learning Research 12. Upstream: scikit-learn/scikit-learn, release 1.3.2,
       sklearn/tree/_classes.py, unchanged.
    """

    def predict(self, image: Image) -> Digit:
        """Read one digit.

        Parameters
        ----------
        image : list of 8 lists of 8 floats, in [0, 16]
            Lines from top to bottom, intensities from left to right: 0 is paper, 16 is ink.

        Returns
        -------
        int, from 0 to 9
            The digit.
        """
        return self.answer(image=image)


@Model.register("pedregosa2011-svc")
class DigitSVC(DockerModel):
    """Read handwritten digits with a support vector machine.

    This is `SVC` of scikit-learn 1.3.2 with a Gaussian kernel, C = 1 and gamma = 0.001, trained on
    the first half of the digits that ship with it (898 images).

    References
    ----------
    .. [1] F. Pedregosa et al. (2011), Scikit-learn: Machine Learning in Python, Journal of Machine
       Learning Research 12. Upstream: scikit-learn/scikit-learn, release 1.3.2, examples,
       plot_digits_classification.py.
    """

    def predict(self, image: Image) -> Digit:
        """Read one digit.

        Parameters
        ----------
        image : list of 8 lists of 8 floats, in [0, 16]
            Lines from top to bottom, intensities from left to right: 0 is paper, 16 is ink.

        Returns
        -------
        int, from 0 to 9
            The digit.
        """
        return self.answer(image=image)


@Model.register("pedregosa2011-mlp")
class DigitMLP(DockerModel):
    """Read handwritten digits with a neural network.

    This is `MLPClassifier` of scikit-learn 1.3.2, one hidden layer of 100 units, trained for 15
    rounds with the seed 0 on all digits that ship with it (1,797 images).

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    strategy : str
        How it was trained: ``adam``; or by stochastic gradient descent with a ``constant`` rate or
        one that falls (``invscaling``), each alone, with momentum or with Nesterov's.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] F. Pedregosa et al. (2011), Scikit-learn: Machine Learning in Python, Journal of Machine
       Learning Research 12. Upstream: scikit-learn/scikit-learn, release 1.3.2, examples,
       plot_mlp_training_curves.py.
    """

    def __init__(
        self, image: str | None = None, *, strategy: Strategy = "adam", **common: Any
    ) -> None:
        super().__init__(image, **common)

    def predict(self, image: Image) -> Digit:
        """Read one digit.

        Parameters
        ----------
        image : list of 8 lists of 8 floats, in [0, 16]
            Lines from top to bottom, intensities from left to right: 0 is paper, 16 is ink.

        Returns
        -------
        int, from 0 to 9
            The digit.
        """
        return self.answer(image=image)
