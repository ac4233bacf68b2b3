"""RNAfold -p --MEA, the ensemble of structures: ViennaRNA 2.6.4.

Paper: Lorenz et al. (2011), "ViennaRNA Package 2.0", Algorithms for Molecular Biology; the
algorithm is McCaskill's (1990).
"""

from repro_runtime import main

import folding
from folding import energy


def predict(model, instances):
    return [ensemble(folding.compound(instance["sequence"], model)) for instance in instances]


def ensemble(compound):
    best, free_energy = folding.best(compound)
    compound.exp_params_rescale(free_energy)
    pairing, ensemble_energy = compound.pf()
    centroid, distance = compound.centroid()
    accurate, accuracy = compound.MEA()
    return {
        "ensemble_energy": energy(ensemble_energy),
        "pairing": pairing,
        "frequency": compound.pr_structure(best),
        "diversity": energy(compound.mean_bp_distance()),
        "centroid": {
            "structure": centroid,
            "free_energy": energy(compound.eval_structure(centroid)),
            "distance": energy(distance),
        },
        "accurate": {
            "structure": accurate,
            "free_energy": energy(compound.eval_structure(accurate)),
            "accuracy": energy(accuracy),
        },
    }


if __name__ == "__main__":
    main(folding.details, predict)
