"""VADER as it is used today: release 3.3.2 of vaderSentiment, vaderSentiment/vaderSentiment.py.

Paper: Hutto & Gilbert (2014), "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
Social Media Text", ICWSM.
"""

from repro_runtime import main

import datasets
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


def load():
    return SentimentIntensityAnalyzer()


def predict(analyzer, instances):
    return [analyzer.polarity_scores(instance["text"]) for instance in instances]


if __name__ == "__main__":
    main(load, predict, dataset=datasets.rows)
