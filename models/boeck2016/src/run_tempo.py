"""Tempi: the program TempoDetector of madmom 0.16.1, with its default settings.

Paper: Boeck, Krebs & Widmer (2015), "Accurate Tempo Estimation based on Recurrent Neural Networks
and Resonating Comb Filters", ISMIR.
"""

from repro_runtime import main

from madmom.features.beats import RNNBeatProcessor
from madmom.features.tempo import TempoEstimationProcessor
from sound import read


def load():
    estimator = TempoEstimationProcessor(
        method="comb",
        min_bpm=40.0,
        max_bpm=250.0,
        act_smooth=0.14,
        hist_smooth=9,
        hist_buffer=10.0,
        alpha=0.79,
        fps=100,
    )
    return RNNBeatProcessor(), estimator


def predict(model, instances):
    network, estimator = model
    return [tempi(estimator(network(read(instance["audio"])))) for instance in instances]


def tempi(found):
    """Leave out what madmom says where there is no tempo, which is no number."""
    return [{"bpm": float(bpm), "strength": float(part)} for bpm, part in found if bpm > 0]


if __name__ == "__main__":
    main(load, predict)
