"""CIDEr-D: cider/cider_scorer.py of pycocoevalcap 1.2, over texts tokenized as COCO captions are.

Paper: Vedantam, Zitnick & Parikh (2015), "CIDEr: Consensus-based Image Description Evaluation",
CVPR.
"""

from repro_runtime import main

from cider_scorer import CiderScorer

import ptb


def load():
    """Load nothing: how rare an n-gram is comes of the references."""


def predict(_, instances):
    texts = []
    for instance in instances:
        if not instance["references"]:
            raise ValueError("there is no reference")
        texts.append([one_string(t) for t in (instance["candidate"], *instance["references"])])
    tokenized = iter(ptb.tokenize([text for row in texts for text in row]))
    rows = [[next(tokenized) for _ in row] for row in texts]
    return [{"candidate": row[0], "references": row[1:]} for row in rows]


def one_string(text):
    return text if isinstance(text, str) else " ".join(text)


def aggregate(rows):
    scorer = CiderScorer(n=4, sigma=6.0)
    for row in rows:
        scorer += (row["candidate"], row["references"])
    value, values = scorer.compute_score()
    return {"cider": float(value), "instances": values.tolist()}


if __name__ == "__main__":
    main(load, predict, aggregate)
