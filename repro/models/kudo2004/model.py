"""MeCab with its dictionary IPAdic."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen, MinLen
from typing_extensions import TypedDict

from repro.models import DockerModel, Model


class Morpheme(TypedDict):
    """A morpheme of a Japanese text, in the terms of IPAdic.

    Attributes
    ----------
    surface : str
        As it stands in the text.
    part_of_speech : list of str, length 1 to 4
        From the general to the particular, such as 名詞, 固有名詞, 人名, 姓.
    conjugation_type, conjugation_form : str or None
        Of what is inflected, such as 五段・タ行 and 連用タ接続.
    base_form : str or None
        The form of the dictionary; None if the word is not known.
    reading, pronunciation : str or None
        In katakana, spelt and spoken; None if the word is not known.
    known : bool
        Whether the dictionary has it. Otherwise its part of speech is a guess by its characters and
        its neighbours.
    """

    surface: str
    part_of_speech: Annotated[list[str], MinLen(1), MaxLen(4)]
    conjugation_type: str | None
    conjugation_form: str | None
    base_form: str | None
    reading: str | None
    pronunciation: str | None
    known: bool


@Model.register("kudo2004-mecab")
class MeCab(DockerModel):
    """Analyse Japanese text into morphemes, by a conditional random field over a dictionary.

    References
    ----------
    .. [1] T. Kudo, K. Yamamoto and Y. Matsumoto (2004), Applying Conditional Random Fields to
       Japanese Morphological Analysis, EMNLP. Upstream: taku910/mecab, release 0.996, as
       mecab-python3 1.0.6 carries it, and IPAdic 2.7.0-20070801 as ipadic 1.0.0 does, unchanged.
    """

    def predict(self, text: str) -> list[Morpheme]:
        """Analyse one text.

        Parameters
        ----------
        text : str
            Japanese, a sentence or more. Blanks and line breaks part morphemes, and are left out.

        Returns
        -------
        list of Morpheme
            In the order of the text; none of an empty one.
        """
        return self.answer(text=text)
