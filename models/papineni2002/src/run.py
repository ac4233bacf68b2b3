"""BLEU over a corpus: sacrebleu 2.6.0, sacrebleu/metrics/bleu.py.

Paper: Papineni, Roukos, Ward & Zhu (2002), "BLEU: a Method for Automatic Evaluation of Machine
Translation", ACL.
"""

from repro_runtime import main

from sacrebleu.metrics import BLEU

import segments

LOADED = {}  # for `aggregate`, which gets the rows alone


def load(
    tokenize="13a",
    lowercase=False,
    smooth_method="exp",
    smooth_value=None,
    max_ngram_order=4,
    effective_order=False,
):
    options = {
        "tokenize": tokenize,
        "lowercase": lowercase,
        "smooth_method": smooth_method,
        "smooth_value": smooth_value,
        "max_ngram_order": max_ngram_order,
    }
    LOADED["bleu"] = BLEU(effective_order=effective_order, **options)
    return BLEU(effective_order=True, **options)  # of a row alone, as sacrebleu's own of a sentence


def predict(bleu, instances):
    rows = []
    for instance in instances:
        candidate, references = segments.read(instance)
        statistics = bleu._extract_corpus_statistics([candidate], [[r] for r in references])[0]
        score = bleu._compute_score_from_stats(list(statistics)).score
        rows.append({"bleu": score, "statistics": statistics})
    return rows


def aggregate(rows):
    sums = [sum(column) for column in zip(*(row["statistics"] for row in rows), strict=True)]
    return {"bleu": LOADED["bleu"]._compute_score_from_stats(sums).score}


if __name__ == "__main__":
    main(load, predict, aggregate)
