"""The detokenizer of Moses: detokenizer.perl of mosestokenizer 1.2.1.

Paper: Koehn et al. (2007), "Moses: Open Source Toolkit for Statistical Machine Translation", ACL.
"""

from repro_runtime import main

import perl


def load(language="en"):
    return perl.Script("detokenizer.perl", "-l", language)


def predict(script, instances):
    return [script.answer(" ".join(instance["tokens"])) for instance in instances]


if __name__ == "__main__":
    main(load, predict)
