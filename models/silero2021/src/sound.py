"""Read a WAV file with one channel of 16-bit integers."""

import wave

import numpy as np

RATES = (8000, 16000)  # Hz, of the network


def read(path):
    """Return the rate and the samples, from -1 to 1."""
    try:
        with wave.open(path, "rb") as file:
            rate, found = file.getframerate(), (file.getnchannels(), file.getsampwidth() * 8)
            sound = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError("a WAV file is needed: %s" % (str(error) or "it is cut short")) from None
    if found != (1, 16) or rate not in RATES or len(sound) < 2:
        raise ValueError(
            "one channel of 16-bit integers at 8000 or 16000 Hz is needed, and the file has %d of "
            "%d bits at %d Hz, %d bytes" % (*found, rate, len(sound))
        )
    return rate, np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(np.float32) / 32768
