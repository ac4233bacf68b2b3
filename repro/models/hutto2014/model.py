"""The two programs that are called VADER, with one face."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]
Score = Annotated[float, Interval(ge=-1.0, le=1.0)]


class Sentiment(TypedDict):
    """The sentiment of a text; floats without unit.

    Attributes
    ----------
    neg, neu, pos : float, in [0, 1]
        How much of the text is negative, neutral and positive: each is rounded to three digits, so
        they add up to 1 give or take 0.001. All are 0 where the program finds no word.
    compound : float, in [-1, 1]
        The sum of the words' valences after all rules, normalised by ``x / sqrt(x**2 + 15)`` and
        rounded to four digits. The authors call a text positive from 0.05 up, negative from -0.05
        down, and neutral between.
    """

    neg: Share
    neu: Share
    pos: Share
    compound: Score


@Model.register("hutto2014-vader")
class VADER(DockerModel):
    """Score the sentiment of short texts with VADER as it is used today.

    This is release 3.3.2 of the authors' Python package (2020). Its lexicon is that of the paper
    but for six entries; its rules are not: it reads emoji, keeps words of one letter, and takes
    "no" before a word of its lexicon as a negation. `OriginalVADER` gives the paper's numbers.

    References
    ----------
    .. [1] C.J. Hutto and E. Gilbert (2014), VADER: A Parsimonious Rule-based Model for Sentiment
       Analysis of Social Media Text, ICWSM. Upstream: cjhutto/vaderSentiment, release 3.3.2,
       vaderSentiment/vaderSentiment.py, unchanged.
    """

    def predict(self, text: str) -> Sentiment:
        """Score one text.

        Parameters
        ----------
        text : str
            English; sentences and posts. Case and punctuation count. The time grows with the square
            of the length: 3,000 words take 0.8 s.

        Returns
        -------
        Sentiment
            ``neg``, ``neu`` and ``pos`` in [0, 1], ``compound`` in [-1, 1].
        """
        return self.answer(text=text)


@Model.register("hutto2014-vader-icwsm")
class OriginalVADER(DockerModel):
    """Score the sentiment of short texts with VADER as it was published.

    This is the Python 2 program that the authors gave away with the paper and its data in May 2014.
    It re-derives Table 4 (models/hutto2014/Readme.md says how). It knows emoticons but no emoji.

    References
    ----------
    .. [1] C.J. Hutto and E. Gilbert (2014), VADER: A Parsimonious Rule-based Model for Sentiment
       Analysis of Social Media Text, ICWSM, section 3 and Table 4. Upstream: vaderSentiment.py in
       hutto_ICWSM_2014.tar.gz in the source distribution of vaderSentiment 3.3.2, unchanged. It is
       given UTF-8 bytes, as its own examples are: it refuses Unicode text beyond ASCII.
    """

    def predict(self, text: str) -> Sentiment:
        """Score one text.

        Parameters
        ----------
        text : str
            English; sentences and posts. Case and punctuation count. The time grows with the square
            of the length: 3,000 words take 6 s.

        Returns
        -------
        Sentiment
            ``neg``, ``neu`` and ``pos`` in [0, 1], ``compound`` in [-1, 1].
        """
        return self.answer(text=text)
