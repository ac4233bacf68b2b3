"""RNAfold's two answers: the best structure, and the ensemble of all."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Ge(0.0)]
Celsius = Annotated[float, Gt(-273.15)]
Dangles = Literal[0, 1, 2, 3]
Length = Annotated[int, Ge(1)]
Parameters = Literal[
    "rna_turner2004",
    "rna_turner1999",
    "rna_andronescu2007",
    "rna_langdon2018",
    "dna_mathews2004",
    "dna_mathews1999",
]


class Folding(TypedDict):
    """The structure of least free energy.

    Attributes
    ----------
    structure : str
        A character for each nucleotide: ``(`` and ``)`` are pairs, ``.`` is unpaired, ``+`` a
        layer of a quadruplex.
    free_energy : float, kcal/mol
        Of this structure against the unpaired chain, rounded to two digits.
    """

    structure: str
    free_energy: float


class Centroid(TypedDict):
    """The structure that is closest to the ensemble.

    Attributes
    ----------
    structure : str
        As in `Folding`.
    free_energy : float, kcal/mol
        Of this structure.
    distance : float, base pairs, ≥ 0
        The mean distance of the ensemble to it.
    """

    structure: str
    free_energy: float
    distance: NotNegative


class Accurate(TypedDict):
    """The structure of the highest expected accuracy.

    Attributes
    ----------
    structure : str
        As in `Folding`.
    free_energy : float, kcal/mol
        Of this structure.
    accuracy : float, nucleotides, ≥ 0
        The expected number of nucleotides that it has right.
    """

    structure: str
    free_energy: float
    accuracy: NotNegative


class Ensemble(TypedDict):
    """The ensemble of all structures in thermal equilibrium.

    Attributes
    ----------
    ensemble_energy : float, kcal/mol
        The free energy of the ensemble, rounded to two digits, as all energies and distances are.
    pairing : str
        A character for each nucleotide: ``(``, ``)`` and ``.`` if it pairs downstream, upstream or
        not at all with a probability of more than 2/3; ``{``, ``}`` and ``,`` if that is weaker;
        ``|`` if it pairs either way.
    frequency : float, in [0, 1]
        The share of the structure of least free energy.
    diversity : float, base pairs, ≥ 0
        The mean distance of two structures.
    centroid, accurate : dict
        Two structures that stand for the ensemble.
    """

    ensemble_energy: float
    pairing: str
    frequency: Share
    diversity: NotNegative
    centroid: Centroid
    accurate: Accurate


class _Folder(DockerModel):
    """What both models are made with."""

    def __init__(  # noqa: PLR0913  the options of RNAfold; they are keywords
        self,
        image: str | None = None,
        *,
        temperature: Celsius = 37.0,
        dangles: Dangles = 2,
        parameters: Parameters = "rna_turner2004",
        lonely_pairs: bool = True,
        circular: bool = False,
        quadruplexes: bool = False,
        max_span: Length | None = None,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)


@Model.register("lorenz2011-rnafold")
class RNAfold(_Folder):
    """Fold RNA into its secondary structure of least free energy.

    This is RNAfold of ViennaRNA 2.6.4. Time grows with the third power of the length.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    temperature : float, °C
        At which the molecule folds.
    dangles : {0, 1, 2, 3}
        How bases beside helices count: not, if unpaired, always, or with stacking of helices.
    parameters : str
        The table of energies: ``rna_turner2004``, ``rna_turner1999``, ``rna_andronescu2007``,
        ``rna_langdon2018``, ``dna_mathews2004`` or ``dna_mathews1999``.
    lonely_pairs : bool
        Whether helices of one pair are allowed.
    circular : bool
        Whether the molecule is a ring.
    quadruplexes : bool
        Whether guanines may form quadruplexes.
    max_span : int, nucleotides, ≥ 1, optional
        How far two bases that pair may be apart.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] R. Lorenz, S.H. Bernhart, C. Höner zu Siederdissen, H. Tafer, C. Flamm, P.F. Stadler and
       I.L. Hofacker (2011), ViennaRNA Package 2.0, Algorithms for Molecular Biology 6:26. Upstream:
       ViennaRNA/ViennaRNA, release 2.6.4, the Python interface, unchanged.
    """

    def predict(self, sequence: str) -> Folding:
        """Fold one molecule.

        Parameters
        ----------
        sequence : str
            Nucleotides from 5' to 3'; T is read as U, case does not count. The IUPAC codes of
            several bases, such as N, never pair; anything else is an error.

        Returns
        -------
        Folding
            ``structure`` in dots and brackets, ``free_energy`` in kcal/mol.
        """
        return self.answer(sequence=sequence)


@Model.register("lorenz2011-ensemble")
class RNAEnsemble(_Folder):
    """Fold RNA into the ensemble of its secondary structures.

    This is ``RNAfold -p --MEA`` of ViennaRNA 2.6.4: McCaskill's partition function, and what
    follows from it. Time grows with the third power of the length.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    temperature, dangles, parameters, lonely_pairs, circular, quadruplexes, max_span
        As those of `RNAfold`; an odd `dangles` counts as 2 where probabilities are computed.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] R. Lorenz, S.H. Bernhart, C. Höner zu Siederdissen, H. Tafer, C. Flamm, P.F. Stadler and
       I.L. Hofacker (2011), ViennaRNA Package 2.0, Algorithms for Molecular Biology 6:26. Upstream:
       ViennaRNA/ViennaRNA, release 2.6.4, the Python interface, unchanged.
    """

    def predict(self, sequence: str) -> Ensemble:
        """Fold one molecule.

        Parameters
        ----------
        sequence : str
            As that of `RNAfold.predict`.

        Returns
        -------
        Ensemble
            Energies in kcal/mol, structures in dots and brackets.
        """
        return self.answer(sequence=sequence)
