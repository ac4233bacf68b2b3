"""Tesseract 5.3.0 with its fast models of English and of the Latin script.

Paper: Smith (2007), "An Overview of the Tesseract OCR Engine", ICDAR.
"""

from repro_runtime import main

import csv
import os
import subprocess
import tempfile

WORD = "5"  # the level of a line of the table


def load(language="eng", segmentation=3):
    known = run(["--list-langs"]).splitlines()[1:]
    if language not in known:
        raise ValueError("no language %r; there are: %s" % (language, ", ".join(known)))
    return ["-l", language, "--psm", str(segmentation)]


def predict(options, instances):
    """Read a batch in one process, as the pages of one document."""
    paths = [instance["image"] for instance in instances]
    with tempfile.TemporaryDirectory() as folder:
        pages = os.path.join(folder, "pages")
        with open(pages, "w", encoding="utf-8") as names:
            names.writelines(path + "\n" for path in paths)
        try:
            run([pages, pages, *options, "txt", "tsv"])
        except RuntimeError as error:
            if len(paths) > 1 or "cannot be read" not in str(error):
                raise  # of a batch that fails each is tried alone
            name = os.path.basename(paths[0])
            raise ValueError("%s is not an image that Tesseract reads" % name) from None
        with open(pages + ".txt", encoding="utf-8") as file:
            texts = file.read().split("\f")
        with open(pages + ".tsv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    words = [[] for _ in paths]
    for row in rows:
        if row["level"] == WORD and row["text"].strip():  # it may find a word without letters
            words[int(row["page_num"]) - 1].append(word(row))
    return [{"text": text, "words": found} for text, found in zip(texts, words)]


def word(row):
    box = [int(row[side]) for side in ("left", "top", "width", "height")]
    return {"text": row["text"], "confidence": round(float(row["conf"]), 3), "box": box}


def run(arguments):
    ended = subprocess.run(["tesseract", *arguments], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip())
    return ended.stdout


if __name__ == "__main__":
    main(load, predict)
