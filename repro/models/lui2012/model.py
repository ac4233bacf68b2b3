"""langid.py, which knows 97 languages."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Interval, MinLen
from typing_extensions import TypedDict

from repro.models import DockerModel, Model

Share = Annotated[float, Interval(ge=0.0, le=1.0)]


class Identification(TypedDict):
    """The language of a text.

    Attributes
    ----------
    language : str
        Its ISO 639-1 code, in small letters.
    log_probability : float
        The natural logarithm of what the naive Bayes classifier gives the language, without its
        normalization: the number that ``langid.classify`` gives. It falls with the length of the
        text, and is rounded to nine digits after the point.
    probability : float, in [0, 1]
        That of the language among all that were asked for, rounded to 12 digits.
    """

    language: str
    log_probability: float
    probability: Share


@Model.register("lui2012-langid")
class LangID(DockerModel):
    """Identify the language of a text with langid.py.

    This is a naive Bayes classifier over n-grams of bytes, from 1 to 4, which were selected so that
    they tell languages and not domains apart.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    languages : list of str, optional
        ISO 639-1 codes of the languages to choose from; all 97 by default.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] M. Lui and T. Baldwin (2012), langid.py: An Off-the-shelf Language Identification Tool,
       ACL System Demonstrations. Upstream: saffsd/langid.py, release 1.1.6, langid/langid.py,
       unchanged, with its model.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        languages: Annotated[list[str], MinLen(1)] | None = None,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> Identification:
        """Identify the language of one text.

        Parameters
        ----------
        text : str
            A word, a sentence or a document; case counts. Of an empty text English is said, with
            little probability.

        Returns
        -------
        Identification
            ``language``, ``log_probability`` and ``probability``.
        """
        return self.answer(text=text)
