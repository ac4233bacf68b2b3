"""The synthetic accessibility score: RDKit 2024.3.5, Contrib/SA_Score/sascorer.py.

Paper: Ertl & Schuffenhauer (2009), "Estimation of synthetic accessibility score of drug-like
molecules based on molecular complexity and fragment contributions", Journal of Cheminformatics.
"""

from repro_runtime import main

import os
import sys

from rdkit import Chem, RDConfig, rdBase

FOLDER = os.path.join(RDConfig.RDContribDir, "SA_Score")


def load(digits=None):
    rdBase.DisableLog("rdApp.*")  # a notice a call otherwise; what cannot be read is an error below
    sys.path.append(FOLDER)
    import sascorer

    sascorer.readFragmentScores()
    return sascorer.calculateScore, digits


def predict(model, instances):
    calculate, digits = model
    scores = [calculate(molecule(instance["smiles"])) for instance in instances]
    return scores if digits is None else [round(score, digits) for score in scores]


def molecule(smiles):
    read = Chem.MolFromSmiles(smiles)
    if read is None or not read.GetNumAtoms():
        raise ValueError("no molecule can be read from the SMILES %r" % smiles)
    return read


def dataset(name):
    """Yield RDKit's 100 molecules of ZINC, labelled with their scores to three digits."""
    if name != "zinc":
        raise ValueError("no data set %r; there is: zinc" % name)
    with open(os.path.join(FOLDER, "data", "zim.100.txt")) as lines:
        next(lines)  # names of the columns
        for line in lines:
            smiles, _, score = line.split()
            yield {"input": {"smiles": smiles}, "label": float(score)}


if __name__ == "__main__":
    main(load, predict, dataset=dataset)
