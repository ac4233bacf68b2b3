"""Russian words beside a number: pymorphy2 0.9.1, Parse.make_agree_with_number.

Paper: Korobov (2015), "Morphological Analyzer and Generator for Russian and Ukrainian Languages",
AIST.
"""

from repro_runtime import main

from pymorphy2 import MorphAnalyzer


def load():
    return MorphAnalyzer(lang="ru")


def predict(analyzer, instances):
    return [agree(analyzer, i["word"], i["number"], i["case"]) for i in instances]


def agree(analyzer, word, number, case):
    """Take the first analysis of the word, or the first one in the case."""
    for parse in analyzer.parse(word):
        if case is None or parse.tag.case == case:
            found = parse.make_agree_with_number(number)
            return found and found.word
    return None


if __name__ == "__main__":
    main(load, predict)
