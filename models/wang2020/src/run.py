"""all-MiniLM-L6-v2 over PyTorch 1.13 and transformers 4.40.2.

Papers: Wang et al. (2020), "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression
of Pre-Trained Transformers", NeurIPS; Reimers & Gurevych (2019), "Sentence-BERT: Sentence
Embeddings using Siamese BERT-Networks", EMNLP.
"""

from repro_runtime import main

import texts

BATCH = 64  # texts that a GPU gets at once


def load(device=-1):
    import torch
    from transformers import BertModel

    torch.set_grad_enabled(False)
    place = torch.device("cpu" if device < 0 else "cuda:%d" % device)
    network = BertModel.from_pretrained(texts.FOLDER, add_pooling_layer=False).eval().to(place)
    tokenizer = texts.tokenizer()
    # On a CPU one at a time is as fast, and no digit depends on what else is in the batch.
    size = 1 if device < 0 else BATCH
    if size > 1:
        tokenizer.enable_padding()

    def encode(batch):
        read = tokenizer.encode_batch(batch)
        tokens = torch.tensor([one.ids for one in read], device=place)
        mask = torch.tensor([one.attention_mask for one in read], device=place)
        hidden = network(tokens, attention_mask=mask).last_hidden_state  # (texts, tokens, 384)
        sums = (hidden * mask[:, :, None]).sum(dim=1)
        return torch.nn.functional.normalize(sums, dim=1).double().cpu().numpy()

    return lambda all_texts: [
        vector
        for first in range(0, len(all_texts), size)
        for vector in encode(all_texts[first : first + size])
    ]


if __name__ == "__main__":
    main(load, texts.predict)
