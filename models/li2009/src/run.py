# coding: utf-8
"""THULAC, words and parts of speech: thulac 0.2.2, for Python 2.

Paper: Li & Sun (2009), "Punctuation as Implicit Annotations for Chinese Word Segmentation",
Computational Linguistics 35 (4).
"""

from repro_runtime import main

import cutting


def load(simplify=False, filt=False):
    return cutting.analyser(simplify=simplify, filt=filt, seg_only=False)


def predict(analyser, instances):
    return [
        [{"word": word, "pos": pos} for word, pos in cutting.cut(analyser, instance["text"])]
        for instance in instances
    ]


if __name__ == "__main__":
    main(load, predict)
