"""pySBD 0.3.4, pysbd/segmenter.py.

Paper: Sadvilkar & Neumann (2020), "PySBD: Pragmatic Sentence Boundary Disambiguation", NLP-OSS.
"""

from repro_runtime import main

from pysbd import Segmenter


def load(language="en", clean=False):
    return Segmenter(language=language, clean=clean)


def predict(segmenter, instances):
    return [[s.strip() for s in segmenter.segment(instance["text"])] for instance in instances]


if __name__ == "__main__":
    main(load, predict)
