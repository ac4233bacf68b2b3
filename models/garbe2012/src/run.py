"""Spelling of texts, wrong spaces included: symspellpy 6.9.0, SymSpell.lookup_compound.

Published: Garbe (2012), "1000x Faster Spelling Correction algorithm".
"""

from repro_runtime import main

import dictionaries


def load(max_edit_distance=2, bigrams=True, ignore_non_words=False, transfer_casing=False):
    options = {"ignore_non_words": ignore_non_words, "transfer_casing": transfer_casing}
    return dictionaries.read(max_edit_distance, bigrams), max_edit_distance, options


def predict(model, instances):
    speller, distance, options = model
    return [
        as_json(speller.lookup_compound(instance["text"], distance, **options)[0])
        for instance in instances
    ]


def as_json(found):
    return {"text": found.term, "distance": found.distance, "count": found.count}


if __name__ == "__main__":
    main(load, predict)
