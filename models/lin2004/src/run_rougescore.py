"""ROUGE in Python: rouge-score 0.1.2, rouge_score/rouge_scorer.py.

Paper: Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries", Text Summarization
Branches Out.
"""

from repro_runtime import main

from rouge_score.rouge_scorer import RougeScorer

import texts


def load(ngram_order=4, porter_stemmer=True, sentence_split=True):
    names = {"rouge-%d" % n: "rouge%d" % n for n in range(1, ngram_order + 1)}
    names["rouge-l"] = "rougeLsum"  # the longest common subsequence as ROUGE-1.5.5 has it
    scorer = RougeScorer(list(names.values()), use_stemmer=porter_stemmer)
    return scorer, names, sentence_split


def predict(model, instances):
    scorer, names, sentence_split = model
    rows = []
    for instance in instances:
        candidate, references = texts.read(instance, sentence_split)
        scores = scorer.score_multi(["\n".join(r) for r in references], "\n".join(candidate))
        rows.append({name: as_percent(scores[theirs]) for name, theirs in names.items()})
    return rows


def as_percent(score):
    return {
        "recall": score.recall * 100,
        "precision": score.precision * 100,
        "f1": score.fmeasure * 100,
    }


if __name__ == "__main__":
    main(load, predict, texts.average)
