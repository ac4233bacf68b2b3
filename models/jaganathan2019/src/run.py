"""SpliceAI: spliceai 1.3.1, spliceai/utils.py.

Paper: Jaganathan et al. (2019), "Predicting Splicing from Primary Sequence with Deep Learning",
Cell. Runs under Python 2.7 and 3.
"""

from repro_runtime import main

import collections
import logging
import os
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

Record = collections.namedtuple("Record", ["chrom", "pos", "ref", "alts"])  # noqa: PYI024
Piece = collections.namedtuple("Piece", ["seq"])  # noqa: PYI024
CONTEXT = 5000  # bases that the networks look at, on each side
SCORES = ("acceptor_gain", "acceptor_loss", "donor_gain", "donor_loss")


def load(assembly="grch37", distance=50, mask=False):
    from spliceai import utils

    problems = Problems()
    logging.getLogger().addHandler(problems)
    with tempfile.NamedTemporaryFile(suffix=".fa") as nothing:  # each instance brings its own
        nothing.write(b">chr1\nN\n")
        nothing.flush()
        annotator = utils.Annotator(nothing.name, assembly)
    return utils.get_delta_scores, annotator, problems, distance, int(mask)


def predict(model, instances):
    return [effects(model, instance) for instance in instances]


def effects(model, instance):
    score, annotator, problems, distance, mask = model
    chromosome, position = plain(instance, "chromosome"), instance["position"]
    reference, alternate = plain(instance, "reference"), plain(instance, "alternate")
    genome = Genome(chromosome, plain(instance, "sequence"), instance["start"])
    check(reference, alternate)
    genome.check(position - CONTEXT - distance, position + CONTEXT + distance)
    annotator.ref_fasta = genome
    del problems.found[:]
    scores = score(Record(chromosome, position, reference, [alternate]), annotator, distance, mask)
    if problems.found:
        raise ValueError(problems.found[0])
    return [effect(line) for line in scores]


def plain(instance, name):
    """Give a text as the program takes it, which Python 2 does not in other letters."""
    if any(ord(character) > 127 for character in instance[name]):
        raise ValueError("%s has characters that are not ASCII" % name)
    return str(instance[name])


def check(reference, alternate):
    if not reference or not alternate or not set(reference + alternate) <= set("ACGT"):
        raise ValueError("a reference and an alternate are made of A, C, G and T")
    if len(reference) > 1 and len(alternate) > 1:
        raise ValueError("of a reference and an alternate one must be a single base")


def effect(line):
    """Read what the program writes into a VCF: the allele, the gene, scores, and positions."""
    fields = line.split("|")
    found = {"gene": fields[1]}
    for name, value, place in zip(SCORES, fields[2:6], fields[6:]):
        found[name] = {"score": abs(float(value)), "position": int(place)}
    return found


class Genome:
    """As much of a genome as the program looks at, with the face of `pyfaidx.Fasta`."""

    def __init__(self, chromosome, sequence, start):
        self.chromosome, self.sequence, self.start = chromosome, sequence, start

    def keys(self):
        return [self.chromosome]

    def check(self, first, last):
        if first < self.start or last >= self.start + len(self.sequence):
            raise ValueError("the sequence must have positions %d to %d" % (first, last))

    def __getitem__(self, key):
        if not isinstance(key, slice):
            return self
        before = self.start - 1  # slices count from 0, positions from 1
        return Piece(self.sequence[key.start - before : key.stop - before])


class Problems(logging.Handler):
    """Keeps what the program warns of, where it leaves a variant out."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.found = []

    def emit(self, record):
        if record.getMessage().startswith("Skipping record"):
            self.found.append(record.getMessage())


if __name__ == "__main__":
    main(load, predict)
