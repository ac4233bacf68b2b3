"""langid.py 1.1.6, langid/langid.py, with the model of 97 languages that is in it.

Paper: Lui & Baldwin (2012), "langid.py: An Off-the-shelf Language Identification Tool", ACL.
"""

from repro_runtime import main

from langid.langid import LanguageIdentifier, model

LOG_DIGITS, DIGITS = 9, 12  # the last ones of a float depend on the processor


def load(languages=None):
    identifier = LanguageIdentifier.from_modelstring(model, norm_probs=False)
    identifier.set_languages(languages)
    arrays = identifier.nb_ptc, identifier.nb_pc, identifier.nb_ptc.shape[0]
    rest = identifier.nb_classes, identifier.tk_nextmove, identifier.tk_output
    return identifier, LanguageIdentifier(*arrays, *rest, norm_probs=True).norm_probs


def predict(loaded, instances):
    return [identify(*loaded, instance["text"]) for instance in instances]


def identify(identifier, normalize, text):
    """Do what `classify` does with normalized probabilities and without, at the cost of one."""
    logs = identifier.nb_classprobs(identifier.instance2fv(text))
    best = logs.argmax()
    return {
        "language": str(identifier.nb_classes[best]),
        "log_probability": round(float(logs[best]), LOG_DIGITS),
        "probability": round(float(normalize(logs)[best]), DIGITS),
    }


if __name__ == "__main__":
    main(load, predict)
