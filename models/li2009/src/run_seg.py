# coding: utf-8
"""THULAC, words alone: thulac 0.2.2, for Python 2.

Paper: Li & Sun (2009), "Punctuation as Implicit Annotations for Chinese Word Segmentation",
Computational Linguistics 35 (4).
"""

from repro_runtime import main

import cutting


def load(simplify=False, filt=False):
    return cutting.analyser(simplify=simplify, filt=filt, seg_only=True)


def predict(analyser, instances):
    return [[word for word, _ in cutting.cut(analyser, i["text"])] for i in instances]


if __name__ == "__main__":
    main(load, predict)
