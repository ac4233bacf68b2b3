"""The tokenizer of Moses in Python: sacremoses 0.1.1, sacremoses/tokenize.py.

Paper: Koehn et al. (2007), "Moses: Open Source Toolkit for Statistical Machine Translation", ACL.
"""

from repro_runtime import main

from functools import partial

from sacremoses import MosesTokenizer


def load(language="en", escape=True, aggressive_dash_splits=False):
    tokenize = MosesTokenizer(lang=language).tokenize
    return partial(tokenize, escape=escape, aggressive_dash_splits=aggressive_dash_splits)


def predict(tokenize, instances):
    return [tokenize(instance["text"]) for instance in instances]


if __name__ == "__main__":
    main(load, predict)
