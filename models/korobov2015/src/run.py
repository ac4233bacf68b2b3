"""Analyses of Russian words: pymorphy2 0.9.1, MorphAnalyzer.parse.

Paper: Korobov (2015), "Morphological Analyzer and Generator for Russian and Ukrainian Languages",
AIST.
"""

from repro_runtime import main

from pymorphy2 import MorphAnalyzer


def load():
    return MorphAnalyzer(lang="ru")


def predict(analyzer, instances):
    return [analyse(analyzer, instance["word"]) for instance in instances]


def analyse(analyzer, word):
    return {
        "normal_forms": analyzer.normal_forms(word),
        "parses": [
            {"tag": str(parse.tag), "normal_form": parse.normal_form, "score": parse.score}
            for parse in analyzer.parse(word)
        ],
    }


if __name__ == "__main__":
    main(load, predict)
