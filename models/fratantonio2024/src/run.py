"""Magika 0.6.2 with the model standard_v3_3 that is in it.

Paper: Fratantonio et al. (2025), "Magika: AI-Powered Content-Type Detection", ICSE.
"""

from repro_runtime import main

from pathlib import Path

from magika import Magika, PredictionMode


def load(mode="high_confidence"):
    return Magika(prediction_mode=PredictionMode(mode))


def predict(magika, instances):
    # One at a time: the last digits of a score depend on what else is in the batch.
    return [answer(magika.identify_path(Path(one["file"]))) for one in instances]


def answer(result):
    if not result.ok:
        raise ValueError("%s: %s" % (result.path.name, result.status))
    kind = result.prediction.output
    return {
        "label": str(kind.label),
        "description": kind.description,
        "group": kind.group,
        "mime_type": kind.mime_type,
        "is_text": kind.is_text,
        "score": round(float(result.prediction.score), 6),
        "guess": str(result.prediction.dl.label),
        "overwritten": str(result.prediction.overwrite_reason),
    }


if __name__ == "__main__":
    main(load, predict)
