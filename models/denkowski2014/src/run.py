"""METEOR 1.5: meteor-1.5.jar of pycocoevalcap 1.2, one process in Java for all instances.

Paper: Denkowski & Lavie (2014), "Meteor Universal: Language Specific Translation Evaluation for
Any Target Language", WMT.
"""

from repro_runtime import main

import re
import subprocess

import ptb

COMMAND = [
    "java",
    "-XX:-UsePerfData",
    "-Xmx2G",
    "-jar",
    "meteor-1.5.jar",
    "-",
    "-",
    "-stdio",
    "-l",
    "en",
]
DIGITS = 12  # the last ones of a double depend on the release of Java
LOADED = {}  # for `aggregate`, which gets the rows alone


class Meteor:
    """The program, which answers lines with lines."""

    def __init__(self, norm, coco):
        command = [*COMMAND, "-norm"] if norm else COMMAND
        pipe = subprocess.PIPE
        self.java = subprocess.Popen(command, cwd="/opt/meteor", stdin=pipe, stdout=pipe)
        self.coco = coco

    def ask(self, parts, answers):
        """Send the parts of one line, as they come; return as many lines."""
        for part in parts:
            self.java.stdin.write(part.encode())
        self.java.stdin.write(b"\n")
        self.java.stdin.flush()
        return [self._read() for _ in range(answers())]

    def _read(self):
        line = self.java.stdout.readline().decode()
        if not line.endswith("\n") or line.startswith("Error"):
            raise RuntimeError("METEOR said %r" % line)
        return line.strip()


def load(norm=True, coco=False):
    LOADED["meteor"] = Meteor(norm, coco)
    return LOADED["meteor"]


def predict(meteor, instances):
    return [score(meteor, *texts) for texts in read(meteor, instances)]


def read(meteor, instances):
    """Return the texts of each instance: its references, then its candidate."""
    texts = []
    for instance in instances:
        if not instance["references"]:
            raise ValueError("there is no reference")
        texts.append([one_line(t) for t in (*instance["references"], instance["candidate"])])
    if not meteor.coco:
        return texts
    tokenized = iter(ptb.tokenize([text for row in texts for text in row]))
    return [[next(tokenized) for _ in row] for row in texts]


def one_line(text):
    """Join the parts of a list, and take out what METEOR reads as the end of a text."""
    text = text if isinstance(text, str) else " ".join(text)
    return re.sub(r"[\r\n]|\|\|\|", " ", text)


def score(meteor, *texts):
    (statistics,) = meteor.ask(["SCORE", *(" ||| %s" % text for text in texts)], lambda: 1)
    value, _ = meteor.ask(["EVAL ||| ", statistics], lambda: 2)  # of the row, and over all one
    counts = [int(float(number)) for number in statistics.split()]
    return {"meteor": round(float(value), DIGITS), "statistics": counts}


def aggregate(rows):
    seen = 0

    def parts():
        nonlocal seen
        yield "EVAL"
        for row in rows:
            seen += 1
            yield " ||| " + " ".join(map(str, row["statistics"]))

    return {"meteor": round(float(LOADED["meteor"].ask(parts(), lambda: seen + 1)[-1]), DIGITS)}


if __name__ == "__main__":
    main(load, predict, aggregate)
