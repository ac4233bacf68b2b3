"""SymSpell with the English dictionaries of symspellpy 6.9.0, of words and of pairs of words.

What leaving letters out makes of the words takes seconds to compute. For the models' default
distances it is computed when the image is built (by running this file), and kept with
symspellpy's own `save_pickle`; the pairs are read each time, as that leaves their least count out.
"""

import gc
import os

import symspellpy

FOLDER = os.path.dirname(symspellpy.__file__)
WORDS = FOLDER + "/frequency_dictionary_en_82_765.txt"
PAIRS = FOLDER + "/frequency_bigramdictionary_en_243_342.txt"
COMPUTED = "/opt/symspell/words-%d.pickle"
DISTANCES = (0, 2)


def read(max_edit_distance, bigrams=False):
    """Return a SymSpell that knows both, or the words alone."""
    gc.disable()  # it would look through all words again and again
    try:
        speller = symspellpy.SymSpell(max_edit_distance, prefix_length=7)
        if max_edit_distance in DISTANCES:
            found = speller.load_pickle(COMPUTED % max_edit_distance, compressed=False)
        else:
            found = speller.load_dictionary(WORDS, term_index=0, count_index=1)
        if bigrams:
            found = found and speller.load_bigram_dictionary(PAIRS, term_index=0, count_index=2)
    finally:
        gc.enable()
    if not found:
        raise FileNotFoundError("a dictionary is missing in %s" % FOLDER)
    return speller


def compute():
    """Write what `read` reads."""
    os.makedirs(os.path.dirname(COMPUTED))
    for distance in DISTANCES:
        speller = symspellpy.SymSpell(distance, prefix_length=7)
        if not speller.load_dictionary(WORDS, term_index=0, count_index=1):
            raise FileNotFoundError(WORDS)
        speller.save_pickle(COMPUTED % distance, compressed=False)


if __name__ == "__main__":
    compute()
