"""BLEU of single sentences: sacrebleu 2.6.0, sacrebleu/metrics/bleu.py, `sentence_score`.

Paper: Papineni, Roukos, Ward & Zhu (2002), "BLEU: a Method for Automatic Evaluation of Machine
Translation", ACL.
"""

from repro_runtime import main

from sacrebleu.metrics import BLEU

import segments


def load(
    tokenize="13a",
    lowercase=False,
    smooth_method="exp",
    smooth_value=None,
    max_ngram_order=4,
    effective_order=True,
):
    return BLEU(
        tokenize=tokenize,
        lowercase=lowercase,
        smooth_method=smooth_method,
        smooth_value=smooth_value,
        max_ngram_order=max_ngram_order,
        effective_order=effective_order,
    )


def predict(bleu, instances):
    return [{"sentbleu": bleu.sentence_score(*segments.read(i)).score} for i in instances]


def aggregate(rows):
    scores = [row["sentbleu"] for row in rows]
    return {"sentbleu": sum(scores) / len(scores)}


if __name__ == "__main__":
    main(load, predict, aggregate)
