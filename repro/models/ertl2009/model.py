"""The synthetic accessibility score as RDKit computes it."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Interval

from repro.models import DockerModel, Model

Accessibility = Annotated[float, Interval(ge=1.0, le=10.0)]
Digits = Annotated[int, Ge(0)]


@Model.register("ertl2009-sascore")
class SAScore(DockerModel):
    """Estimate how hard molecules are to synthesize.

    This is the program that RDKit 2024.3.5 carries, by one of the authors. Common fragments make a
    molecule easy; size, stereo centres, spiro and bridgehead atoms and large rings make it hard.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    digits : int, ≥ 0, optional
        Round to so many digits after the point; three is what is usually printed.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Ertl and A. Schuffenhauer (2009), Estimation of synthetic accessibility score of
       drug-like molecules based on molecular complexity and fragment contributions, Journal of
       Cheminformatics 1:8. Upstream: rdkit/rdkit, release 2024.3.5, Contrib/SA_Score/sascorer.py,
       unchanged.
    """

    def __init__(
        self, image: str | None = None, *, digits: Digits | None = None, **common: Any
    ) -> None:
        super().__init__(image, **common)

    def predict(self, smiles: str) -> Accessibility:
        """Score one molecule.

        Parameters
        ----------
        smiles : str
            The molecule as SMILES; one that cannot be read, or has no atom, is an error.

        Returns
        -------
        float, in [1, 10], without unit
            1 is easy to make, 10 very hard.
        """
        return self.answer(smiles=smiles)
