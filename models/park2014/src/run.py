"""Four taggers of Korean, in Java, as KoNLPy 0.6.0 carries them: konlpy/tag.

Paper: Park & Cho (2014), "KoNLPy: Korean natural language processing in Python", Annual Conference
on Human and Cognitive Language Technology.
"""

from repro_runtime import main

from konlpy import tag

TAGGERS = {"hannanum": tag.Hannanum, "kkma": tag.Kkma, "komoran": tag.Komoran, "okt": tag.Okt}


def load(tagger="hannanum", norm=False, stem=False):
    options = {"norm": norm, "stem": stem}
    if tagger != "okt" and any(options.values()):
        raise ValueError("norm and stem are options of okt, not of %s" % tagger)
    return TAGGERS[tagger](), options if tagger == "okt" else {}


def predict(model, instances):
    return [analyse(*model, instance["text"]) for instance in instances]


def analyse(tagger, options, text):
    if not text.strip():  # which the taggers refuse, each in its way
        return {"morphemes": [], "nouns": []}
    pairs = tagger.pos(text, **options)
    return {
        "morphemes": [{"morpheme": str(morpheme), "pos": str(pos)} for morpheme, pos in pairs],
        "nouns": [str(noun) for noun in tagger.nouns(text)],
    }


if __name__ == "__main__":
    main(load, predict)
