"""Stretches of speech from the probabilities of frames.

This is `get_speech_timestamps` of silero-vad (src/silero_vad/utils_vad.py) without PyTorch, and
without a longest stretch, which it has only if asked for one. Times are in samples.
"""

from itertools import pairwise

SHORTEST = 0.250  # seconds of speech
PAUSE = 0.100  # seconds of silence that end speech
PAD = 0.030  # seconds put before and after
BELOW = 0.15  # how far below the threshold silence is
LEAST = 0.01  # where it is at any rate


def find(probabilities, threshold, frame, rate, length):
    return pad(list(stretches(probabilities, threshold, frame, rate, length)), rate, length)


def stretches(probabilities, threshold, frame, rate, length):
    """Yield start and end of what is long enough."""
    silence = max(threshold - BELOW, LEAST)
    start = quiet = None
    for number, probability in enumerate(probabilities):
        now = number * frame
        if probability >= threshold:
            quiet = None
            start = now if start is None else start
        elif start is not None and probability < silence:
            quiet = now if quiet is None else quiet
            if now - quiet >= PAUSE * rate:
                if quiet - start > SHORTEST * rate:
                    yield [start, quiet]
                start = quiet = None
    if start is not None and length - start > SHORTEST * rate:
        yield [start, length]


def pad(found, rate, length):
    """Widen stretches; two that are close share what is between them."""
    room = int(PAD * rate)
    for before, after in pairwise(found):
        between = after[0] - before[1]
        each = between // 2 if between < 2 * room else room
        before[1] += each
        after[0] -= each
    if found:
        found[0][0] = max(0, found[0][0] - room)
        found[-1][1] = min(length, found[-1][1] + room)
    return found
