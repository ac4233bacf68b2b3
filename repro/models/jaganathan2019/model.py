"""SpliceAI in two stacks that are five years apart, with one face."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Interval, MinLen
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
Position = Annotated[int, Ge(1)]
Distance = Annotated[int, Interval(ge=1, le=4999)]
Bases = Annotated[str, MinLen(1)]


class SpliceEffect(TypedDict):
    """How a variant changes the use of a splice site.

    Attributes
    ----------
    score : float, in [0, 1]
        The change of probability, rounded to two digits. The authors suggest cutoffs of 0.2 (high
        recall), 0.5 and 0.8 (high precision).
    position : int, bases
        Of the site, against the variant; positive values are downstream on the plus strand.
    """

    score: Share
    position: int


class GeneEffect(TypedDict):
    """What a variant does to the splicing of one gene.

    Attributes
    ----------
    gene : str
        Its symbol.
    acceptor_gain, acceptor_loss, donor_gain, donor_loss : SpliceEffect
        The largest changes within the distance.
    """

    gene: str
    acceptor_gain: SpliceEffect
    acceptor_loss: SpliceEffect
    donor_gain: SpliceEffect
    donor_loss: SpliceEffect


@Model.register("jaganathan2019-spliceai")
class SpliceAI(DockerModel):
    """Predict what genetic variants do to splicing.

    This is spliceai 1.3.1 with its five networks, over TensorFlow 2.15 and Python 3.11, on the CPU.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    assembly : {"grch37", "grch38"}
        The annotation of genes: GENCODE V24, canonical transcripts.
    distance : int, bases, from 1 to 4,999
        How far from the variant sites are looked for.
    mask : bool
        Whether gains of annotated sites and losses of others, which are rarely harmful, are 0.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] K. Jaganathan, S. Kyriazopoulou Panagiotopoulou, J.F. McRae et al. (2019), Predicting
       Splicing from Primary Sequence with Deep Learning, Cell 176. Upstream: Illumina/SpliceAI,
       release 1.3.1, spliceai/utils.py, unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        assembly: Literal["grch37", "grch38"] = "grch37",
        distance: Distance = 50,
        mask: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self,
        chromosome: str,
        position: Position,
        reference: Bases,
        alternate: Bases,
        sequence: Bases,
        start: Position,
    ) -> list[GeneEffect]:
        """Annotate one variant.

        Parameters
        ----------
        chromosome : str
            Such as ``10``; with or without ``chr``.
        position : int, ≥ 1
            Of the first base of `reference`, as in VCF.
        reference : str
            What is there; of A, C, G and T.
        alternate : str
            What is there instead. One of the two must be a single base.
        sequence : str
            The reference genome around the variant; of A, C, G, T and N. It must reach 5,000 bases
            and the distance to both sides of `position`.
        start : int, ≥ 1
            The position of the first base of `sequence`.

        Returns
        -------
        list of GeneEffect
            One for each gene that the variant is in; empty outside of genes.
        """
        return self.answer(
            chromosome=chromosome,
            position=position,
            reference=reference,
            alternate=alternate,
            sequence=sequence,
            start=start,
        )


@Model.register("jaganathan2019-spliceai-py27")
class SpliceAIPython2(SpliceAI):
    """Predict what genetic variants do to splicing, with the software of 2019.

    This is spliceai 1.3.1 with its five networks, over TensorFlow 1.14, Keras 2.2.5 and Python 2.7,
    on the CPU. It gives the same answers as `SpliceAI`, more slowly.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    assembly, distance, mask
        As those of `SpliceAI`.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] K. Jaganathan, S. Kyriazopoulou Panagiotopoulou, J.F. McRae et al. (2019), Predicting
       Splicing from Primary Sequence with Deep Learning, Cell 176. Upstream: Illumina/SpliceAI,
       release 1.3.1, spliceai/utils.py, unchanged.
    """
