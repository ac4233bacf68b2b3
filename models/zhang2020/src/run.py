"""BERTScore: bert-score 0.3.13, over the encoder all-MiniLM-L6-v2.

Paper: Zhang et al. (2020), "BERTScore: Evaluating Text Generation with BERT", ICLR.
"""

from repro_runtime import main

import importlib.machinery
import sys
import types

ENCODER = "/opt/all-MiniLM-L6-v2"
TOKENS = 512  # as many as the encoder has positions; its files say a number without meaning
DRAWING = ("matplotlib", "matplotlib.pyplot", "mpl_toolkits", "mpl_toolkits.axes_grid1", "pandas")


def load(layers=6, device=-1):
    import torch
    from transformers import BertModel, BertTokenizer  # noqa: F401  before the stand-ins

    stand_in()
    from bert_score import BERTScorer

    torch.set_grad_enabled(False)
    place = "cpu" if device < 0 else "cuda:%d" % device
    # One text at a time on a CPU, so that no digit depends on what else is in the batch.
    size = 1 if device < 0 else 64
    scorer = BERTScorer(model_type=ENCODER, num_layers=layers, batch_size=size, device=place)
    scorer._tokenizer.model_max_length = TOKENS
    return scorer


def stand_in():
    """Give the package empty modules for what it needs for drawings and for baselines alone."""
    for name in DRAWING:
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        module.make_axes_locatable = None
        sys.modules[name] = module


def predict(scorer, instances):
    references = [[one_string(r) for r in one["references"]] for one in instances]
    if not all(references):
        raise ValueError("there is no reference")
    candidates = [one_string(one["candidate"]) for one in instances]
    scores = scorer.score(candidates, references)
    return [
        {"precision": precision, "recall": recall, "f1": f1}
        for precision, recall, f1 in zip(*(part.tolist() for part in scores), strict=True)
    ]


def one_string(text):
    return text if isinstance(text, str) else " ".join(text)


def aggregate(rows):
    rows = list(rows)
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


if __name__ == "__main__":
    main(load, predict, aggregate)
