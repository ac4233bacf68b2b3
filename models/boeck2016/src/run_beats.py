"""Beats: the program DBNBeatTracker of madmom 0.16.1.

Papers: Boeck & Schedl (2011), "Enhanced Beat Tracking with Context-Aware Neural Networks", DAFx;
Krebs, Boeck & Widmer (2015), "An Efficient State-Space Model for Joint Tempo and Meter Tracking",
ISMIR.
"""

from repro_runtime import main

from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor
from sound import read


def load():
    return RNNBeatProcessor(), DBNBeatTrackingProcessor(fps=100)


def predict(model, instances):
    network, tracker = model
    return [tracker(network(read(instance["audio"]))).tolist() for instance in instances]


if __name__ == "__main__":
    main(load, predict)
