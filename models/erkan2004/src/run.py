"""LexRank, with a threshold and continuous: lexrank 0.1.0, lexrank/algorithms/summarizer.py.

Paper: Erkan & Radev (2004), "LexRank: Graph-based Lexical Centrality as Salience in Text
Summarization", JAIR 22.
"""

from repro_runtime import main

from lexrank import STOPWORDS, LexRank


def load(
    threshold=0.03,
    continuous=False,
    summary_size=1,
    stopwords="",
    keep_numbers=False,
    digits=9,
):
    if stopwords and stopwords not in STOPWORDS:
        known = ", ".join(sorted(STOPWORDS))
        raise ValueError("no stop words for %r; there are: %s" % (stopwords, known))
    words = STOPWORDS[stopwords] if stopwords else set()
    options = {"stopwords": words, "keep_numbers": keep_numbers}
    return options, None if continuous else float(threshold), summary_size, digits


def predict(model, instances):
    return [summarize(model, **instance) for instance in instances]


def summarize(model, documents, background):
    options, threshold, summary_size, digits = model
    sentences = [sentence for document in documents for sentence in document]
    ranker = LexRank(background or many(documents), **options)
    scores = ranker.rank_sentences(sentences, threshold=threshold)
    # As LexRank.get_summary does, which would compute the scores again.
    best = scores.argsort()[::-1][:summary_size]
    return {
        "summary": [sentences[index] for index in best],
        "scores": [round(float(score), digits) for score in scores],
    }


def many(documents):
    """Return the documents; of a single one, each sentence as one: else no word has any weight."""
    return documents if len(documents) > 1 else [[sentence] for sentence in documents[0]]


if __name__ == "__main__":
    main(load, predict)
