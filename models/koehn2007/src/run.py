"""The tokenizer of Moses: tokenizer.perl, version 1.1, of mosestokenizer 1.2.1.

Paper: Koehn et al. (2007), "Moses: Open Source Toolkit for Statistical Machine Translation", ACL.
"""

from repro_runtime import main

import perl


def load(language="en", escape=True, aggressive_dash_splits=False):
    options = [] if escape else ["-no-escape"]
    options += ["-a"] if aggressive_dash_splits else []
    return perl.Script("tokenizer-v1.1.perl", "-l", language, *options)


def predict(script, instances):
    return [script.answer(instance["text"]).split() for instance in instances]


if __name__ == "__main__":
    main(load, predict)
