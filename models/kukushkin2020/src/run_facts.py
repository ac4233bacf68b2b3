"""Names, dates, sums of money and addresses by rule: natasha 1.6.0, natasha/extractors.py.

Published: Kukushkin (2020), "Project Natasha: a set of quality open tools for the processing of
Russian (NLP)", in Russian.
"""

from repro_runtime import main

import natasha

EXTRACTORS = {
    "names": natasha.NamesExtractor,
    "dates": natasha.DatesExtractor,
    "money": natasha.MoneyExtractor,
    "address": natasha.AddrExtractor,
}


def load(kind="names"):
    return EXTRACTORS[kind](natasha.MorphVocab())


def predict(extractor, instances):
    return [[as_json(match) for match in matches(extractor, i["text"])] for i in instances]


def matches(extractor, text):
    """Return all of them; the extractor of addresses makes one of the parts that it finds."""
    if isinstance(extractor, natasha.AddrExtractor):
        found = extractor.find(text)
        return [found] if found else []
    return list(extractor(text))


def as_json(match):
    return {"start": match.start, "stop": match.stop, "fact": fact_as_json(match.fact)}


def fact_as_json(fact):
    if hasattr(fact, "parts"):
        return {"parts": [dict(part.as_json) for part in fact.parts]}
    return dict(fact.as_json)


if __name__ == "__main__":
    main(load, predict)
