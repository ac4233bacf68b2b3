"""STOI and extended STOI: pystoi 0.4.1.

Papers: Taal, Hendriks, Heusdens & Jensen (2011), "An Algorithm for Intelligibility Prediction of
Time-Frequency Weighted Noisy Speech", IEEE TASLP 19 (7); Jensen & Taal (2016), "An Algorithm for
Predicting the Intelligibility of Speech Masked by Modulated Noise Maskers", IEEE/ACM TASLP 24 (11).
"""

from repro_runtime import main

import warnings

import numpy as np
from pystoi import stoi

import wav

LEAST = 0.4  # seconds: 30 frames


def load(extended=False):
    # What is too short has a warning and the value 0.00001, which is none.
    warnings.filterwarnings("error", message="Not enough STFT frames")
    return extended


def predict(extended, instances):
    return [{"stoi": score(extended, i["reference"], i["degraded"])} for i in instances]


def score(extended, reference, degraded):
    rate, clean = read("reference", reference)
    other, noisy = read("degraded", degraded)
    if (rate, len(clean)) != (other, len(noisy)):
        raise ValueError(
            "both must have one rate and one length; the reference has %d samples at %d Hz, the "
            "degraded one %d at %d Hz" % (len(clean), rate, len(noisy), other)
        )
    if len(clean) < LEAST * rate:
        raise ValueError("at least %s s are needed, and there are %d samples" % (LEAST, len(clean)))
    np.random.seed(0)  # noqa: NPY002  extended STOI adds noise of it, as small as rounding
    try:
        return float(stoi(clean, noisy, rate, extended=extended))
    except RuntimeWarning:
        raise ValueError(
            "at least %s s of the reference must be within 40 dB of its loudest frame" % LEAST
        ) from None


def read(name, path):
    try:
        rate, samples = wav.read(path)
    except ValueError as error:
        raise ValueError("%s: %s" % (name, error)) from None
    if not samples.any() or not np.isfinite(samples).all():
        raise ValueError("%s: it is silent, or has samples that are no numbers" % name)
    return rate, samples.astype(float)


def aggregate(rows):
    values = [row["stoi"] for row in rows]
    return {"stoi": sum(values) / len(values)}


if __name__ == "__main__":
    main(load, predict, aggregate)
