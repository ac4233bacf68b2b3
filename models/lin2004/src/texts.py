"""What both programs share: texts of sentences, and the average over all texts."""


def read(instance, sentence_split):
    """Return the sentences of the candidate and those of each reference."""
    references = [sentences(reference, sentence_split) for reference in instance["references"]]
    if not references:
        raise ValueError("there is no reference")
    return sentences(instance["candidate"], sentence_split), references


def sentences(text, sentence_split):
    """Split a text into sentences, each without line breaks.

    A list has one sentence an item. A single text has one a line, or is one as a whole.
    """
    if isinstance(text, str):
        text = text.splitlines() if sentence_split else [text]
    return [" ".join(sentence.split()) for sentence in text]


def average(rows):
    """Average each number over the rows, without weights."""
    rows = list(rows)
    return {
        metric: {name: sum(r[metric][name] for r in rows) / len(rows) for name in rows[0][metric]}
        for metric in rows[0]
    }
