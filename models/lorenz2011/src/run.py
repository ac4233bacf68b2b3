"""RNAfold, the structure of least free energy: ViennaRNA 2.6.4.

Paper: Lorenz et al. (2011), "ViennaRNA Package 2.0", Algorithms for Molecular Biology.
"""

from repro_runtime import main

import folding


def predict(model, instances):
    return [fold(folding.compound(instance["sequence"], model)) for instance in instances]


def fold(compound):
    structure, free_energy = folding.best(compound)
    return {"structure": structure, "free_energy": folding.energy(free_energy)}


if __name__ == "__main__":
    main(folding.details, predict)
