"""QED as RDKit 2024.3.5 computes it: rdkit/Chem/QED.py.

Paper: Bickerton et al. (2012), "Quantifying the chemical beauty of drugs", Nature Chemistry.
"""

from repro_runtime import main

from rdkit import Chem, rdBase
from rdkit.Chem import QED

WEIGHTS = {"mean": QED.WEIGHT_MEAN, "max": QED.WEIGHT_MAX, "none": QED.WEIGHT_NONE}


def load(weights="mean", digits=None):
    rdBase.DisableLog("rdApp.*")  # what cannot be read is an error below
    return WEIGHTS[weights], digits


def predict(model, instances):
    weights, digits = model
    rows = [score(instance["smiles"], weights) for instance in instances]
    return rows if digits is None else [rounded(row, digits) for row in rows]


def score(smiles, weights):
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or not molecule.GetNumAtoms():
        raise ValueError("no molecule can be read from the SMILES %r" % smiles)
    found = QED.properties(molecule)
    return {
        "qed": QED.qed(molecule, w=weights, qedProperties=found),
        "molecular_weight": found.MW,
        "alogp": found.ALOGP,
        "acceptors": found.HBA,
        "donors": found.HBD,
        "polar_surface": found.PSA,
        "rotatable_bonds": found.ROTB,
        "aromatic_rings": found.AROM,
        "alerts": found.ALERTS,
    }


def rounded(row, digits):
    return {k: round(v, digits) if isinstance(v, float) else v for k, v in row.items()}


if __name__ == "__main__":
    main(load, predict)
