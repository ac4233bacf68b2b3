"""fastText 0.9.2 with its compressed model of 176 languages, lid.176.ftz.

Papers: Joulin, Grave, Bojanowski & Mikolov (2017), "Bag of Tricks for Efficient Text
Classification", EACL; Joulin et al. (2016), "FastText.zip: Compressing text classification models".
"""

from repro_runtime import main

import fasttext

LABEL = "__label__"


def load():
    return fasttext.load_model("/opt/fasttext/lid.176.ftz")


def predict(model, instances, *, k=5):
    return [identify(model, instance["text"], k) for instance in instances]


def identify(model, text, k):
    """Rank the languages of a text, which may have no end of a line within."""
    labels, scores = model.predict(text.replace("\n", " "), k=k)
    ranking = [
        {"language": label[len(LABEL) :], "probability": min(float(score), 1.0)}
        for label, score in zip(labels, scores, strict=True)
    ]
    return {**ranking[0], "ranking": ranking} if ranking else None


if __name__ == "__main__":
    main(load, predict)
