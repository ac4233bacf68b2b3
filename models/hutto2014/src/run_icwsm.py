"""VADER as it was published: vaderSentiment.py of hutto_ICWSM_2014.tar.gz (May 2014), for Python 2.

Paper: Hutto & Gilbert (2014), "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM.
"""

from repro_runtime import main

import os
import sys

import datasets


def load():
    """Import the program, unchanged, in its folder: it opens its lexicon by the bare name."""
    here = os.getcwd()
    os.chdir(datasets.FOLDER)
    sys.path.insert(0, datasets.FOLDER)
    try:
        from vaderSentiment import sentiment
    finally:
        os.chdir(here)
    return sentiment


def predict(sentiment, instances):
    # Bytes, as the program's own examples are: it calls str(), which refuses Unicode beyond ASCII.
    return [sentiment(instance["text"].encode("utf-8")) for instance in instances]


if __name__ == "__main__":
    main(load, predict, dataset=datasets.rows)
