"""Forms of Russian words: pymorphy2 0.9.1, Parse.inflect.

Paper: Korobov (2015), "Morphological Analyzer and Generator for Russian and Ukrainian Languages",
AIST.
"""

from repro_runtime import main

from pymorphy2 import MorphAnalyzer
from pymorphy2.shapes import restore_capitalization


def load():
    return MorphAnalyzer(lang="ru")


def predict(analyzer, instances):
    return [inflect(analyzer, i["word"], frozenset(i["grammemes"])) for i in instances]


def inflect(analyzer, word, grammemes):
    """Take the first analysis of the word that has such a form."""
    for parse in analyzer.parse(word):
        found = parse.inflect(grammemes)
        if found:
            return restore_capitalization(found.word, word)
    return None


if __name__ == "__main__":
    main(load, predict)
