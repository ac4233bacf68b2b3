"""Train all classifiers, when the image is built; each with a fixed seed."""

import sys
import warnings

import joblib
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import digits

SGD = {"solver": "sgd", "learning_rate_init": 0.2}
FALLING = {**SGD, "learning_rate": "invscaling"}
STRATEGIES = {
    "constant": {**SGD, "momentum": 0},
    "constant-momentum": {**SGD, "momentum": 0.9, "nesterovs_momentum": False},
    "constant-nesterov": {**SGD, "momentum": 0.9, "nesterovs_momentum": True},
    "invscaling": {**FALLING, "momentum": 0},
    "invscaling-momentum": {**FALLING, "momentum": 0.9, "nesterovs_momentum": False},
    "invscaling-nesterov": {**FALLING, "momentum": 0.9, "nesterovs_momentum": True},
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
}


def train(folder):
    joblib.dump(
        DecisionTreeClassifier(random_state=0).fit(*digits.arrays("two-thirds")),
        folder + "/tree.joblib",
    )
    joblib.dump(SVC(gamma=0.001).fit(*digits.arrays("first-half")), folder + "/svc.joblib")
    for name, options in STRATEGIES.items():
        network = MLPClassifier(random_state=0, max_iter=15, **options)
        joblib.dump(
            make_pipeline(MinMaxScaler(), network).fit(*digits.arrays()),
            "%s/mlp-%s.joblib" % (folder, name),
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)  # 15 rounds are what was published
    train(sys.argv[1])
