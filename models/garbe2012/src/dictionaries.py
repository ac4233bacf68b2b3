"""SymSpell with the English dictionaries of symspellpy 6.9.0, of words and of pairs of words."""

import os

import symspellpy

FOLDER = os.path.dirname(symspellpy.__file__)
WORDS = FOLDER + "/frequency_dictionary_en_82_765.txt"
PAIRS = FOLDER + "/frequency_bigramdictionary_en_243_342.txt"


def read(max_edit_distance, bigrams=False):
    """Return a SymSpell that knows both, or the words alone."""
    speller = symspellpy.SymSpell(max_edit_distance, prefix_length=7)
    found = speller.load_dictionary(WORDS, term_index=0, count_index=1)
    if bigrams:
        found = found and speller.load_bigram_dictionary(PAIRS, term_index=0, count_index=2)
    if not found:
        raise FileNotFoundError("a dictionary is missing in %s" % FOLDER)
    return speller
