"""BART-large, tuned on CNN/DailyMail, over PyTorch 1.13 and transformers 4.40.2.

Paper: Lewis et al. (2020), "BART: Denoising Sequence-to-Sequence Pre-training for Natural Language
Generation, Translation, and Comprehension", ACL.
"""

from repro_runtime import main

import re

FOLDER = "/opt/bart-large-cnn"
BATCH = 16  # documents that a GPU gets at once

# What the authors' program and the configuration of the weights give for CNN/DailyMail.
SEARCH = {
    "num_beams": 4,
    "length_penalty": 2.0,
    "no_repeat_ngram_size": 3,
    "early_stopping": True,
    "do_sample": False,
}


def load(min_length=56, max_length=142, sentence_lines=False, device=-1):
    if min_length > max_length:
        raise ValueError("min_length=%d is more than max_length=%d" % (min_length, max_length))
    import torch
    from transformers import BartForConditionalGeneration, BartTokenizerFast

    torch.set_grad_enabled(False)
    place = torch.device("cpu" if device < 0 else "cuda:%d" % device)
    network = BartForConditionalGeneration.from_pretrained(FOLDER).eval().to(place)
    tokenizer = BartTokenizerFast.from_pretrained(FOLDER)

    def summarize(documents):
        read = tokenizer(
            [(network.config.prefix or "") + document for document in documents],
            max_length=network.config.max_position_embeddings,
            truncation=True,
            padding=True,
            return_tensors="pt",
        ).to(place)
        written = network.generate(
            read.input_ids,
            attention_mask=read.attention_mask,
            min_length=min_length,
            max_length=max_length,
            **SEARCH,
        )
        texts = tokenizer.batch_decode(
            written, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return [in_lines(text) if sentence_lines else text.strip() for text in texts]

    # On a CPU one at a time is as fast, and no digit depends on what else is in the batch.
    return summarize, 1 if device < 0 else BATCH


def in_lines(text):
    """Put each sentence on a line of its own."""
    return re.sub(r"(?<=[.!?])([\"'”)]*)\s+", r"\1\n", text.strip())


def predict(model, instances):
    summarize, size = model
    documents = [one_string(one["document"]) for one in instances]
    order = sorted(range(len(documents)), key=lambda index: len(documents[index]))
    found = {}
    for first in range(0, len(order), size):
        chosen = order[first : first + size]
        found.update(zip(chosen, summarize([documents[index] for index in chosen])))
    return [found[index] for index in range(len(documents))]


def one_string(text):
    return text if isinstance(text, str) else " ".join(text)


if __name__ == "__main__":
    main(load, predict)
