"""chrF and chrF++: sacrebleu 2.6.0, sacrebleu/metrics/chrf.py.

Paper: Popović (2015), "chrF: character n-gram F-score for automatic MT evaluation", WMT.
"""

from repro_runtime import main

from sacrebleu.metrics import CHRF

import segments

LOADED = {}  # for `aggregate`, which gets the rows alone


def load(
    char_order=6, word_order=0, beta=2, lowercase=False, whitespace=False, eps_smoothing=False
):
    LOADED["chrf"] = CHRF(
        char_order=char_order,
        word_order=word_order,
        beta=beta,
        lowercase=lowercase,
        whitespace=whitespace,
        eps_smoothing=eps_smoothing,
    )
    return LOADED["chrf"]


def predict(chrf, instances):
    rows = []
    for instance in instances:
        candidate, references = segments.read(instance)
        statistics = chrf._extract_corpus_statistics([candidate], [[r] for r in references])[0]
        score = chrf._compute_score_from_stats(statistics).score
        rows.append({"chrf": score, "statistics": statistics})
    return rows


def aggregate(rows):
    sums = [sum(column) for column in zip(*(row["statistics"] for row in rows), strict=True)]
    return {"chrf": LOADED["chrf"]._compute_score_from_stats(sums).score}


if __name__ == "__main__":
    main(load, predict, aggregate)
