"""Instances as sacrebleu wants them."""


def read(instance):
    """Return the candidate and its references, each one string; the parts of a list are joined."""
    references = [one_string(reference) for reference in instance["references"]]
    if not references:
        raise ValueError("there is no reference")
    return one_string(instance["candidate"]), references


def one_string(text):
    return text if isinstance(text, str) else " ".join(text)
