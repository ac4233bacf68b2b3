"""QED as RDKit computes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Ge(0.0)]
Count = Annotated[int, Ge(0)]


class DrugLikeness(TypedDict):
    """How much a molecule is like a drug, and the eight properties that this is made of.

    Attributes
    ----------
    qed : float, in [0, 1], without unit
        The weighted geometric mean of the desirabilities of the properties; higher is more like a
        drug.
    molecular_weight : float, g/mol, ≥ 0
        The average molecular weight, without explicit hydrogens that a SMILES names.
    alogp : float, without unit
        The logarithm (base 10) of the octanol-water partition coefficient, by Wildman and Crippen.
    acceptors, donors : int, ≥ 0
        Hydrogen bond acceptors and donors.
    polar_surface : float, Å², ≥ 0
        The topological polar surface area.
    rotatable_bonds, aromatic_rings : int, ≥ 0
        Their numbers; rings without an aliphatic atom count.
    alerts : int, ≥ 0
        Of 113 unwanted substructures, those that are there.
    """

    qed: Share
    molecular_weight: NotNegative
    alogp: float
    acceptors: Count
    donors: Count
    polar_surface: NotNegative
    rotatable_bonds: Count
    aromatic_rings: Count
    alerts: Count


@Model.register("bickerton2012-qed")
class QED(DockerModel):
    """Estimate how much molecules are like drugs.

    This is RDKit 2024.3.5. Eight properties of a molecule are each mapped to a desirability, which
    was fitted to 771 oral drugs; QED is their weighted geometric mean.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    weights : {"mean", "max", "none"}
        The weights of the properties: the mean of the 1,000 best sets of weights,
        the best set of all, or 1 for each.
    digits : int, ≥ 0, optional
        Round to so many digits after the point.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] G.R. Bickerton, G.V. Paolini, J. Besnard, S. Muresan and A.L. Hopkins (2012), Quantifying
       the chemical beauty of drugs, Nature Chemistry 4. Upstream: rdkit/rdkit, release 2024.3.5,
       rdkit/Chem/QED.py, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        weights: Literal["mean", "max", "none"] = "mean",
        digits: Count | None = None,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, smiles: str) -> DrugLikeness:
        """Score one molecule.

        Parameters
        ----------
        smiles : str
            The molecule as SMILES; one that cannot be read, or has no atom, is an error. Several
            parts, divided by a dot, are scored as one.

        Returns
        -------
        DrugLikeness
            ``qed`` in [0, 1], and the properties.
        """
        return self.answer(smiles=smiles)
