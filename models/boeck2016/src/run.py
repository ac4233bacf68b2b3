"""Beats and downbeats: the program DBNDownBeatTracker of madmom 0.16.1.

Paper: Boeck, Krebs & Widmer (2016), "Joint Beat and Downbeat Tracking with Recurrent Neural
Networks", ISMIR.
"""

from repro_runtime import main

from madmom.features.downbeats import DBNDownBeatTrackingProcessor, RNNDownBeatProcessor
from sound import read


def load(beats_per_bar=(3, 4)):
    return [
        RNNDownBeatProcessor(),
        DBNDownBeatTrackingProcessor(beats_per_bar=list(beats_per_bar), fps=100),
    ]


def predict(model, instances):
    network, tracker = model
    return [beats(tracker(network(read(instance["audio"])))) for instance in instances]


def beats(found):
    return [{"time": float(time), "position": int(position)} for time, position in found]


if __name__ == "__main__":
    main(load, predict)
