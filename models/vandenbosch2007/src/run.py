"""Frog 0.20 with frogdata 0.18: tokens, lemmas, morphemes, parts of speech, names, chunks, syntax.

Paper: Van den Bosch, Busser, Canisius & Daelemans (2007), "An efficient memory-based
morphosyntactic tagger and parser for Dutch", CLIN 2006.
"""

from repro_runtime import main

import os
import subprocess
import tempfile

COLUMNS = 10


def load(parser=True):
    return ["frog", "--threads=1", *([] if parser else ["--skip=p"])]


def predict(command, instances):
    """Analyse a batch with one process, which loads its models once: a file for each text."""
    with tempfile.TemporaryDirectory() as folder:
        given, answered = folder + "/given", folder + "/answered"
        os.mkdir(given)
        os.mkdir(answered)
        for number, instance in enumerate(instances):
            with open("%s/%09d" % (given, number), "w", encoding="utf-8") as file:
                file.write(instance["text"] + "\n")
        run([*command, "--testdir=" + given, "--outputdir=" + answered], folder)
        return [
            read("%s/%09d.out" % (answered, number), instance["text"])
            for number, instance in enumerate(instances)
        ]


def run(command, folder):
    # Its answers also go to its standard output; with --nostdout the files would be empty.
    ended = subprocess.run(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    if ended.returncode:
        raise RuntimeError("frog: %s" % ended.stderr.decode(errors="replace")[-2000:])


def read(path, text):
    """Read sentences of tokens: lines of ten columns, with an empty line after each sentence."""
    if not text.strip():
        return []
    with open(path, encoding="utf-8") as file:
        blocks = file.read().split("\n\n")
    return [[as_json(line) for line in b.split("\n") if line] for b in blocks if b.strip()]


def as_json(line):
    columns = line.split("\t")[:COLUMNS]  # without the parser there are more, all empty
    _, text, lemma, morphemes, pos, confidence, entity, chunk, head, relation = columns
    return {
        "text": text,
        "lemma": lemma,
        "morphemes": morphemes,
        "pos": pos,
        "confidence": float(confidence),
        "entity": entity,
        "chunk": chunk,
        "head": int(head) if head else None,
        "relation": relation or None,
    }


if __name__ == "__main__":
    main(load, predict)
