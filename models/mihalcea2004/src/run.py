"""TextRank over sentences: summa 1.2.0, summa/summarizer.py.

Paper: Mihalcea & Tarau (2004), "TextRank: Bringing Order into Texts", EMNLP.
"""

from repro_runtime import main

from summa.summarizer import summarize

DIGITS = 9  # what lies beyond differs between processors


def load(language="english", additional_stopwords=()):
    return {"language": language, "additional_stopwords": list(additional_stopwords)}


def predict(options, instances, *, ratio=0.2):
    return [rank(instance["text"], ratio, options) for instance in instances]


def rank(text, ratio, options):
    found = summarize(text, ratio=ratio, split=True, scores=True, **options)
    return {
        "sentences": [sentence for sentence, _ in found],
        "scores": [round(float(score), DIGITS) for _, score in found],
    }


if __name__ == "__main__":
    main(load, predict)
