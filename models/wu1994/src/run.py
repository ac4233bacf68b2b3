"""Similarities of word senses in WordNet 3.0: NLTK 3.9.1, nltk/corpus/reader/wordnet.py.

Paper: Wu & Palmer (1994), "Verb Semantics and Lexical Selection", ACL; and Leacock & Chodorow
(1998), "Combining Local Context and WordNet Similarity for Word Sense Identification".
"""

from repro_runtime import main

import json
import warnings
from functools import partial

from nltk.corpus.reader.wordnet import WordNetCorpusReader


FOLDER = "/opt/wordnet"
DEPTHS = FOLDER + "/depths.json"


class Reader(WordNetCorpusReader):
    def map_wn(self, version="wordnet"):
        """Map no release of WordNet to another: only translations need that."""


def load(simulate_root=True):
    warnings.filterwarnings("ignore", "The multilingual functions are not available")
    reader = Reader(FOLDER, None)
    with open(DEPTHS) as file:
        reader._max_depth.update(json.load(file))
    return partial(compare, reader, simulate_root)


def predict(compare, instances):
    return [compare(instance["first"], instance["second"]) for instance in instances]


def compare(reader, root, first, second):
    one, other = reader.synset(first), reader.synset(second)
    comparable = one.pos() == other.pos()  # what the second similarity is defined for
    common = one.lowest_common_hypernyms(other)
    return {
        "wup": one.wup_similarity(other, simulate_root=root),
        "lch": one.lch_similarity(other, simulate_root=root) if comparable else None,
        "path": one.path_similarity(other, simulate_root=root),
        "lowest_common_hypernyms": sorted(synset.name() for synset in common),
    }


if __name__ == "__main__":
    main(load, predict)
