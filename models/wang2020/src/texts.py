"""What both programs share: texts as tokens, and what is answered about them."""

from tokenizers import Tokenizer

FOLDER = "/opt/all-MiniLM-L6-v2"
LENGTH = 256  # tokens: what the authors cut a text to


def tokenizer():
    read = Tokenizer.from_file(FOLDER + "/tokenizer.json")
    read.enable_truncation(LENGTH)
    read.no_padding()
    return read


def predict(encode, instances):
    """Embed the texts of all instances, each text once."""
    texts = sorted({text for one in instances for text in (one["text"], *one["others"])}, key=len)
    vectors = dict(zip(texts, encode(texts), strict=True))
    return [
        {
            "embedding": vectors[one["text"]].tolist(),
            "similarities": [float(vectors[one["text"]] @ vectors[o]) for o in one["others"]],
        }
        for one in instances
    ]
