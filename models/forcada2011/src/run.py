"""Translation by rules: Apertium 3.8.3, with the data for English, Spanish and Catalan.

Paper: Forcada et al. (2011), "Apertium: a free/open-source platform for rule-based machine
translation", Machine Translation 25 (2).
"""

from repro_runtime import main

import subprocess


def load(pair="spa-cat", mark_unknown=False):
    known = run(["apertium", "-l"]).decode().split()
    if pair not in known:
        raise ValueError("no pair %r; there are: %s" % (pair, ", ".join(known)))
    return ["apertium", "-f", "none", "-z", *([] if mark_unknown else ["-u"]), pair]


def predict(command, instances):
    """Translate a batch with one pipeline, which a NUL makes finish what it has and start anew."""
    texts = [instance["text"] for instance in instances]
    if any("\0" in text for text in texts):
        raise ValueError("Apertium ends a text at a NUL character")
    prepared = [run(["apertium-destxt"], text.encode()) for text in texts]
    translated = run(command, b"".join(text + b"\0" for text in prepared)).split(b"\0")
    answers, rest = translated[: len(texts)], translated[len(texts) :]
    if len(answers) != len(texts) or any(rest):
        raise RuntimeError("Apertium answered another number of texts than it was given")
    return [run(["apertium-retxt"], answer).decode() for answer in answers]


def run(command, given=b""):
    ended = subprocess.run(command, input=given, capture_output=True, check=False)
    if ended.returncode:
        raise RuntimeError("%s: %s" % (" ".join(command), ended.stderr.decode(errors="replace")))
    return ended.stdout


if __name__ == "__main__":
    main(load, predict)
