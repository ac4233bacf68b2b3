"""Spaces, and spelling if asked for: symspellpy 6.9.0, SymSpell.word_segmentation.

Published: Garbe (2012), "1000x Faster Spelling Correction algorithm".
"""

from repro_runtime import main

import dictionaries


def load(max_edit_distance=0):
    return dictionaries.read(max_edit_distance)


def predict(speller, instances):
    return [segment(speller, instance["text"]) for instance in instances]


def segment(speller, text):
    if not text:  # over which the release fails
        return {"segmented": "", "corrected": "", "distance": 0, "log10_probability": 0.0}
    return as_json(speller.word_segmentation(text))


def as_json(found):
    return {
        "segmented": found.segmented_string,
        "corrected": found.corrected_string,
        "distance": found.distance_sum,
        "log10_probability": found.log_prob_sum,
    }


if __name__ == "__main__":
    main(load, predict)
