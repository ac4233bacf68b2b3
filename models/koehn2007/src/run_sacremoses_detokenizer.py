"""The detokenizer of Moses in Python: sacremoses 0.1.1, sacremoses/tokenize.py.

Paper: Koehn et al. (2007), "Moses: Open Source Toolkit for Statistical Machine Translation", ACL.
"""

from repro_runtime import main

from sacremoses import MosesDetokenizer


def load(language="en"):
    return MosesDetokenizer(lang=language)


def predict(detokenizer, instances):
    return [detokenizer.detokenize(instance["tokens"]) for instance in instances]


if __name__ == "__main__":
    main(load, predict)
