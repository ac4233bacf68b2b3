"""MeCab 0.996, as mecab-python3 1.0.6 carries it, with the dictionary IPAdic 2.7.0.

Paper: Kudo, Yamamoto & Matsumoto (2004), "Applying Conditional Random Fields to Japanese
Morphological Analysis", EMNLP.
"""

from repro_runtime import main

import csv

import ipadic
import MeCab

FIELDS = ("conjugation_type", "conjugation_form", "base_form", "reading", "pronunciation")
LEVELS = 4  # of a part of speech


def load():
    return MeCab.Tagger(ipadic.MECAB_ARGS)


def predict(tagger, instances):
    return [list(morphemes(tagger, instance["text"])) for instance in instances]


def morphemes(tagger, text):
    if "\0" in text:
        raise ValueError("MeCab reads no further than a NUL character")
    node = tagger.parseToNode(text)
    while node:
        if node.stat not in (MeCab.MECAB_BOS_NODE, MeCab.MECAB_EOS_NODE):
            yield as_json(node)
        node = node.next


def as_json(node):
    feature = [None if value == "*" else value for value in next(csv.reader([node.feature]))]
    rest = feature[LEVELS:] + [None] * len(FIELDS)  # an unknown word has no reading
    return {
        "surface": node.surface,
        "part_of_speech": [level for level in feature[:LEVELS] if level],
        **dict(zip(FIELDS, rest)),
        "known": node.stat == MeCab.MECAB_NOR_NODE,
    }


if __name__ == "__main__":
    main(load, predict)
