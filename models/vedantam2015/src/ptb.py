"""The tokenizer of the COCO caption evaluation: PTBTokenizer of Stanford CoreNLP 3.4.1.

Called as pycocoevalcap/tokenizer/ptbtokenizer.py calls it, which writes beside its jar.
"""

import subprocess

COMMAND = [
    "java",
    "-XX:-UsePerfData",
    "-cp",
    "/opt/ptb/stanford-corenlp-3.4.1.jar",
    "edu.stanford.nlp.process.PTBTokenizer",
    "-preserveLines",
    "-lowerCase",
]
ENDS = dict.fromkeys(map(ord, "\n\r\x0b\x0c\u2028\u2029"), " ")  # of a line, to the program
PUNCTUATION = {"''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", "."}
PUNCTUATION |= {"?", "!", ",", ":", "-", "--", "...", ";"}


def tokenize(texts):
    """Return the texts in lower case, tokens with spaces between, without punctuation."""
    lines = "".join(text.translate(ENDS) + "\n" for text in texts)
    done = subprocess.run(COMMAND, input=lines.encode(), stdout=subprocess.PIPE, check=True)
    tokenized = done.stdout.decode().split("\n")[:-1]
    if len(tokenized) != len(texts):
        raise ValueError("PTBTokenizer gave %d lines for %d" % (len(tokenized), len(texts)))
    return [" ".join(t for t in line.split(" ") if t not in PUNCTUATION) for line in tokenized]
