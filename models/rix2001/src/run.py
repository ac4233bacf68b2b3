"""PESQ: pesq 0.0.4, the C code of the ITU-T behind a few lines of Cython.

Paper: Rix, Beerends, Hollier & Hekstra (2001), "Perceptual Evaluation of Speech Quality (PESQ) - A
New Method for Speech Quality Assessment of Telephone Networks and Codecs", ICASSP.
"""

from repro_runtime import main

import numpy as np
from pesq import PesqError, pesq

import wav

# The C code has room for 50 utterances and writes beyond it, unseen; each, with the pause after it,
# lasts 0.4 s or more.
LONGEST = 20  # seconds
MODES = {"narrow": ("nb", (8000, 16000)), "wide": ("wb", (16000,))}  # by band; with rates in Hz


def load(band="narrow"):
    return MODES[band]


def predict(mode, instances):
    return [{"mos_lqo": score(mode, i["reference"], i["degraded"])} for i in instances]


def score(mode, reference, degraded):
    name, rates = mode
    rate, clean = read("reference", reference, rates)
    _, noisy = read("degraded", degraded, (rate,))
    try:
        return float(pesq(rate, clean, noisy, name))
    except PesqError as error:
        raise ValueError("PESQ has no value: %s" % error.args[0].decode()) from None


def read(name, path, rates):
    try:
        rate, samples = wav.read(path)
    except ValueError as error:
        raise ValueError("%s: %s" % (name, error)) from None
    if rate not in rates:
        needed = " or ".join(map(str, rates))
        raise ValueError("%s: it must be at %s Hz, and is at %d Hz" % (name, needed, rate))
    if len(samples) > LONGEST * rate:
        raise ValueError(
            "%s: it must last at most %d s, and has %.1f s" % (name, LONGEST, len(samples) / rate)
        )
    if not samples.any() or not np.isfinite(samples).all():
        raise ValueError("%s: it is silent, or has samples that are no numbers" % name)
    return rate, samples


def aggregate(rows):
    values = [row["mos_lqo"] for row in rows]
    return {"mos_lqo": sum(values) / len(values)}


if __name__ == "__main__":
    main(load, predict, aggregate)
