"""Sentences, tokens, morphology, syntax and names of Russian text: natasha 1.6.0, natasha/doc.py.

Published: Kukushkin (2020), "Project Natasha: a set of quality open tools for the processing of
Russian (NLP)", in Russian.
"""

from repro_runtime import main

import natasha


def load():
    vocabulary, embedding = natasha.MorphVocab(), natasha.NewsEmbedding()
    return {
        "segmenter": natasha.Segmenter(),
        "vocabulary": vocabulary,
        "morphology": natasha.NewsMorphTagger(embedding),
        "syntax": natasha.NewsSyntaxParser(embedding),
        "names": natasha.NewsNERTagger(embedding),
        "parts": natasha.NamesExtractor(vocabulary),
    }


def predict(model, instances):
    return [analyse(model, instance["text"]) for instance in instances]


def analyse(model, text):
    doc = natasha.Doc(text)
    doc.segment(model["segmenter"])
    doc.tag_morph(model["morphology"])
    doc.parse_syntax(model["syntax"])
    doc.tag_ner(model["names"])
    for token in doc.tokens:
        token.lemmatize(model["vocabulary"])
    for span in doc.spans:
        span.normalize(model["vocabulary"])
        if span.type == natasha.PER:
            span.extract_fact(model["parts"])
    return {
        "sentences": [sentence_as_json(sentence) for sentence in doc.sents],
        "entities": [entity_as_json(span) for span in doc.spans],
    }


def sentence_as_json(sentence):
    tokens = [token_as_json(token) for token in sentence.tokens]
    return {"start": sentence.start, "stop": sentence.stop, "tokens": tokens}


def token_as_json(token):
    return {
        "text": token.text,
        "start": token.start,
        "stop": token.stop,
        "pos": token.pos,
        "feats": dict(token.feats),
        "lemma": token.lemma,
        "head": int(token.head_id.partition("_")[2]),  # "<sentence>_<token>"
        "relation": token.rel,
    }


def entity_as_json(span):
    return {
        "text": span.text,
        "start": span.start,
        "stop": span.stop,
        "type": span.type,
        "normal": span.normal,
        "name": dict(span.fact.as_dict) if span.fact else None,
    }


if __name__ == "__main__":
    main(load, predict)
