"""Sound from WAV files, at the rate that the networks were trained at."""

import wave
from math import gcd

import numpy as np
from madmom.audio.signal import Signal
from scipy.signal import resample_poly

RATE = 44100


def read(path):
    """Read a WAV file of 16 bits; madmom mixes its channels."""
    try:
        with wave.open(path) as file:
            channels, width, rate, frames = file.getparams()[:4]
            data = file.readframes(frames)
    except (wave.Error, EOFError) as error:
        raise ValueError("not a WAV file of PCM: %s" % (error or "it ends too early")) from error
    if len(data) != frames * channels * width:
        raise ValueError("the WAV file is cut off: %d frames were to come" % frames)
    if width != 2:
        raise ValueError("a WAV file of 16 bits a sample is needed, not of %d" % (8 * width))
    samples = np.frombuffer(data, dtype="<i2").reshape(-1, channels)
    if len(samples) < rate / 10:
        raise ValueError("a tenth of a second of sound is needed, not %d samples" % len(samples))
    if rate != RATE:
        samples = resampled(samples, rate)
    return Signal(samples[:, 0] if channels == 1 else samples, RATE)


def resampled(samples, rate):
    """Take other rates to this one, where madmom calls ffmpeg."""
    common = gcd(RATE, rate)
    made = resample_poly(samples.astype(float), RATE // common, rate // common)
    return np.clip(np.rint(made), -(2**15), 2**15 - 1).astype(np.int16)
