"""Write what NLTK wants beside WordNet's files: once, when the image is built.

That is the list of WordNet's 45 lexicographer files, as its manual page lexnames(5) has it, which
Debian leaves out, and the depths of its taxonomies, which take seconds to compute.
"""

import json

import run

NAMES = {
    "adj": "all pert",
    "adv": "all",
    "noun": "Tops act animal artifact attribute body cognition communication event feeling food "
    "group location motive object person phenomenon plant possession process quantity relation "
    "shape state substance time",
    "verb": "body change cognition communication competition consumption contact creation emotion "
    "motion perception possession social stative weather",
}
PARTS = {"noun": 1, "verb": 2, "adj": 3, "adv": 4}


def main():
    names = [(p + "." + name, PARTS[p]) for p in NAMES for name in NAMES[p].split()]
    with open(run.FOLDER + "/lexnames", "w") as file:
        file.writelines(
            "%02d\t%s\t%d\n" % (index, name, part)
            for index, (name, part) in enumerate([*names, ("adj.ppl", PARTS["adj"])])
        )
    reader = run.Reader(run.FOLDER, None)
    for part, sense in (("n", "entity.n.01"), ("v", "be.v.01")):
        reader._compute_max_depth(part, reader.synset(sense)._needs_root())
    with open(run.DEPTHS, "w") as file:
        json.dump(reader._max_depth, file)


if __name__ == "__main__":
    main()
