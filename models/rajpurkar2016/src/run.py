"""Exact match and F1 of SQuAD: evaluate-v1.1.py, as allennlp/tools/squad_eval.py of AllenNLP 0.9.0.

Paper: Rajpurkar, Zhang, Lopyrev & Liang (2016), "SQuAD: 100,000+ Questions for Machine
Comprehension of Text", EMNLP.
"""

from repro_runtime import main

from math import fsum

import evaluate_v11


def load():
    return evaluate_v11.evaluate


def predict(evaluate, instances):
    return [score(evaluate, instance) for instance in instances]


def score(evaluate, instance):
    """Score one answer as a data set of one question."""
    answers = [{"text": answer} for answer in instance["answers"]]
    dataset = [{"paragraphs": [{"qas": [{"id": "0", "answers": answers}]}]}]
    return evaluate(dataset, {"0": instance["prediction"]})


def aggregate(rows):
    rows = list(rows)
    return {name: fsum(r[name] for r in rows) / len(rows) for name in ("exact_match", "f1")}


if __name__ == "__main__":
    main(load, predict, aggregate)
