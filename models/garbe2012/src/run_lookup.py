"""Spelling of words: symspellpy 6.9.0, SymSpell.lookup.

Published: Garbe (2012), "1000x Faster Spelling Correction algorithm".
"""

from repro_runtime import main

from symspellpy import Verbosity

import dictionaries

VERBOSITY = {"top": Verbosity.TOP, "closest": Verbosity.CLOSEST, "all": Verbosity.ALL}


def load(max_edit_distance=2, verbosity="closest", include_unknown=False, transfer_casing=False):
    options = {"include_unknown": include_unknown, "transfer_casing": transfer_casing}
    return dictionaries.read(max_edit_distance), VERBOSITY[verbosity], options


def predict(model, instances):
    speller, verbosity, options = model
    return [
        [as_json(found) for found in speller.lookup(instance["word"], verbosity, **options)]
        for instance in instances
    ]


def as_json(found):
    return {"word": found.term, "distance": found.distance, "count": found.count}


if __name__ == "__main__":
    main(load, predict)
