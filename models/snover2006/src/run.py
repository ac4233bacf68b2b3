"""Translation edit rate: sacrebleu 2.6.0, sacrebleu/metrics/ter.py.

Paper: Snover, Dorr, Schwartz, Micciulla & Makhoul (2006), "A Study of Translation Edit Rate with
Targeted Human Annotation", AMTA.
"""

from repro_runtime import main

from sacrebleu.metrics import TER

import segments

LOADED = {}  # for `aggregate`, which gets the rows alone


def load(normalized=False, no_punct=False, asian_support=False, case_sensitive=False):
    LOADED["ter"] = TER(
        normalized=normalized,
        no_punct=no_punct,
        asian_support=asian_support,
        case_sensitive=case_sensitive,
    )
    return LOADED["ter"]


def predict(ter, instances):
    rows = []
    for instance in instances:
        candidate, references = segments.read(instance)
        statistics = ter._extract_corpus_statistics([candidate], [[r] for r in references])[0]
        score = ter._compute_score_from_stats(statistics).score
        rows.append({"ter": score, "edits": statistics[0], "reference_length": statistics[1]})
    return rows


def aggregate(rows):
    """Sum in the order of the rows, as sacrebleu does: mean lengths of references are floats."""
    edits = length = 0
    for row in rows:
        edits += row["edits"]
        length += row["reference_length"]
    return {"ter": LOADED["ter"]._compute_score_from_stats([edits, length]).score}


if __name__ == "__main__":
    main(load, predict, aggregate)
