"""ROUGE as it was published: ROUGE-1.5.5.pl (2005), unchanged.

Paper: Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries", Text Summarization
Branches Out.
"""

from repro_runtime import main

import os
import re
import subprocess
import tempfile

import texts

HOME = "/opt/ROUGE-1.5.5"
LINE = re.compile(r"X (ROUGE-\S+) Eval (\d+)\.X R:(\S+) P:(\S+) F:(\S+)")
EVAL = """<EVAL ID="%d">
<PEER-ROOT>%s</PEER-ROOT>
<MODEL-ROOT>%s</MODEL-ROOT>
<INPUT-FORMAT TYPE="SPL"></INPUT-FORMAT>
<PEERS>
<P ID="X">%s</P>
</PEERS>
<MODELS>
%s
</MODELS>
</EVAL>
"""


def load(
    ngram_order=4,
    porter_stemmer=True,
    remove_stopwords=False,
    sentence_split=True,
    calculate_su4=True,
):
    # -r 1: the averages of the program, with their confidence intervals, are not read.
    command = ["perl", HOME + "/ROUGE-1.5.5.pl", "-e", HOME + "/data", "-n", str(ngram_order)]
    command += ["-a", "-c", "95", "-r", "1", "-p", "0.5", "-t", "0", "-d"]
    command += ["-m"] * porter_stemmer + ["-s"] * remove_stopwords
    return command + ["-2", "4", "-u"] * calculate_su4, sentence_split


def predict(model, instances):
    """Score a batch with one process: an evaluation an instance, each with one peer."""
    command, sentence_split = model
    rows = [{} for _ in instances]
    with tempfile.TemporaryDirectory() as folder:
        evaluations = [
            evaluation(folder, number, *texts.read(instance, sentence_split))
            for number, instance in enumerate(instances)
        ]
        config = os.path.join(folder, "config.xml")
        with open(config, "w") as file:
            file.write('<ROUGE_EVAL version="1.0">\n%s</ROUGE_EVAL>\n' % "".join(evaluations))
        printed = run([*command, config])
    for metric, number, *values in LINE.findall(printed):
        recall, precision, f1 = (float(value) * 100 for value in values)
        name = metric.lower().replace("*", "")
        rows[int(number)][name] = {"recall": recall, "precision": precision, "f1": f1}
    if not all(rows):
        raise RuntimeError("ROUGE printed no score for some texts")
    return rows


def evaluation(folder, number, candidate, references):
    """Write the texts of an instance; return what the program is told about them."""
    peer = write(folder, "%d.peer" % number, candidate)
    models = [
        '<M ID="%d">%s</M>' % (index, write(folder, "%d.model.%d" % (number, index), reference))
        for index, reference in enumerate(references)
    ]
    return EVAL % (number, folder, folder, peer, "\n".join(models))


def write(folder, name, sentences):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(sentence + "\n" for sentence in sentences)
    return name


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: PLW1510  told below
    if done.returncode != 0:
        raise RuntimeError("ROUGE ended with %d: %s" % (done.returncode, done.stderr[-500:]))
    return done.stdout


if __name__ == "__main__":
    main(load, predict, texts.average)
