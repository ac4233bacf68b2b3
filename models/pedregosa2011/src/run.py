"""Three classifiers of scikit-learn 1.3.2, over the digits that ship with it.

Paper: Pedregosa et al. (2011), "Scikit-learn: Machine Learning in Python", Journal of Machine
Learning Research.
"""

from repro_runtime import main

import joblib
import numpy as np

import digits

FOLDER = "/opt/pedregosa2011"


def load(classifier="svc", strategy=None):
    name = classifier if strategy is None else "%s-%s" % (classifier, strategy)
    return joblib.load("%s/%s.joblib" % (FOLDER, name))


def predict(classifier, instances):
    images = np.array([instance["image"] for instance in instances], dtype=float)
    return classifier.predict(images.reshape(len(images), 64)).tolist()


if __name__ == "__main__":
    main(load, predict, dataset=digits.rows)
