"""all-MiniLM-L6-v2 over NumPy alone: the network of six layers, written out.

Papers: Wang et al. (2020), "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression
of Pre-Trained Transformers", NeurIPS; Reimers & Gurevych (2019), "Sentence-BERT: Sentence
Embeddings using Siamese BERT-Networks", EMNLP.
"""

from repro_runtime import main

import numpy as np
from safetensors.numpy import load_file

import texts

LAYERS, HEADS = 6, 12
EPSILON = 1e-12  # in the normalisation of layers


def load():
    weights = load_file(texts.FOLDER + "/model.safetensors")
    tokenizer = texts.tokenizer()
    return lambda batch: [forward(weights, one.ids) for one in tokenizer.encode_batch(batch)]


def forward(weights, tokens):
    """Embed one text: the mean of its tokens' last states, of length 1."""
    words = weights["embeddings.word_embeddings.weight"][tokens]
    places = weights["embeddings.position_embeddings.weight"][: len(tokens)]
    kinds = weights["embeddings.token_type_embeddings.weight"][0]
    states = normalised(weights, "embeddings.LayerNorm", words + places + kinds)  # (tokens, 384)
    for number in range(LAYERS):
        states = layer(weights, "encoder.layer.%d." % number, states)
    mean = states.mean(axis=0, dtype=float)
    return mean / np.linalg.norm(mean)


def layer(weights, name, states):
    attended = linear(weights, name + "attention.output.dense", attention(weights, name, states))
    states = normalised(weights, name + "attention.output.LayerNorm", states + attended)
    inner = gelu(linear(weights, name + "intermediate.dense", states))
    outer = linear(weights, name + "output.dense", inner)
    return normalised(weights, name + "output.LayerNorm", states + outer)


def attention(weights, name, states):
    query, key, value = (
        heads(linear(weights, name + "attention.self." + part, states))
        for part in ("query", "key", "value")
    )
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(query.shape[2]))
    shares = np.exp(scores - scores.max(axis=2, keepdims=True))  # (heads, tokens, tokens)
    shares /= shares.sum(axis=2, keepdims=True)
    return (shares @ value).transpose(1, 0, 2).reshape(states.shape)


def heads(states):
    return states.reshape(len(states), HEADS, -1).transpose(1, 0, 2)  # (heads, tokens, 32)


def linear(weights, name, states):
    return states @ weights[name + ".weight"].T + weights[name + ".bias"]


def normalised(weights, name, states):
    centred = states - states.mean(axis=1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON)
    return centred / deviation * weights[name + ".weight"] + weights[name + ".bias"]


def gelu(x):
    return x * (1 + erf(x / np.sqrt(np.float32(2)))) / 2


def erf(x):
    """Approximate the error function to 1.5e-7 (Abramowitz & Stegun, 1964, 7.1.26)."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    tail = 1.061405429
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = tail * t + factor
    return np.sign(x) * (1 - tail * t * np.exp(-x * x))


if __name__ == "__main__":
    main(load, texts.predict)
