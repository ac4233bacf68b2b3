"""The scripts of Moses that take sentences apart into tokens and put them together again."""

from __future__ import annotations

from typing import Any

from repro.models import DockerModel, Model


@Model.register("koehn2007-tokenizer")
class Tokenizer(DockerModel):
    """Take a sentence apart into tokens with Moses' own script.

    This is tokenizer.perl, version 1.1, in Perl.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        The ISO 639-1 code of the language; one that has no list of abbreviations gets English's.
    escape : bool
        Whether ``& | < > ' " [ ]`` become entities such as ``&amp;``, as Moses needs them.
    aggressive_dash_splits : bool
        Whether hyphens within words become tokens, ``@-@``.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Koehn et al. (2007), Moses: Open Source Toolkit for Statistical Machine Translation,
       ACL Demo and Poster Sessions. Upstream: moses-smt/mosesdecoder,
       scripts/tokenizer/tokenizer.perl, as luismsgomes/mosestokenizer 1.2.1 carries it,
       unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        language: str = "en",
        escape: bool = True,
        aggressive_dash_splits: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, text: str) -> list[str]:
        """Take one sentence apart.

        Parameters
        ----------
        text : str
            One sentence: a full stop within the text stays with its word. An end of a line is read
            as a space.

        Returns
        -------
        list of str
            Its tokens in their order; none of an empty text.
        """
        return self.answer(text=text)


@Model.register("koehn2007-detokenizer")
class Detokenizer(DockerModel):
    """Put tokens together to a sentence with Moses' own script.

    This is detokenizer.perl, in Perl.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        The ISO 639-1 code of the language. There are rules for Czech, English, Finnish, French and
        Italian; others get those that hold for all.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Koehn et al. (2007), Moses: Open Source Toolkit for Statistical Machine Translation,
       ACL Demo and Poster Sessions. Upstream: moses-smt/mosesdecoder,
       scripts/tokenizer/detokenizer.perl, as luismsgomes/mosestokenizer 1.2.1 carries it,
       unchanged.
    """

    def __init__(
        self,
        image: str | None = None,
        *,
        language: str = "en",
        **common: Any,
    ) -> None:
        super().__init__(image, **common)

    def predict(self, tokens: list[str]) -> str:
        """Put one sentence together.

        Parameters
        ----------
        tokens : list of str
            The tokens of one sentence. Entities such as ``&amp;`` become characters again.

        Returns
        -------
        str
            The sentence, without whitespace around it.
        """
        return self.answer(tokens=tokens)


@Model.register("koehn2007-sacremoses")
class SacreTokenizer(Tokenizer):
    """Take a sentence apart into tokens with sacremoses.

    This is Moses' tokenizer in Python. Also of languages without spaces it splits no words.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        The ISO 639-1 code of the language; one that has no list of abbreviations gets English's.
    escape : bool
        Whether ``& | < > ' " [ ]`` become entities such as ``&amp;``, as Moses needs them.
    aggressive_dash_splits : bool
        Whether hyphens within words become tokens, ``@-@``.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Koehn et al. (2007), Moses: Open Source Toolkit for Statistical Machine Translation,
       ACL Demo and Poster Sessions. Upstream: alvations/sacremoses, release 0.1.1,
       sacremoses/tokenize.py, unchanged, a port of tokenizer.perl to Python.
    """


@Model.register("koehn2007-sacremoses-detokenizer")
class SacreDetokenizer(Detokenizer):
    """Put tokens together to a sentence with sacremoses.

    This is Moses' detokenizer in Python.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    language : str
        The ISO 639-1 code of the language. There are rules for Czech, English, Finnish, French and
        Italian; others get those that hold for all.
    **common
        What every model takes (`DockerModel`).

    References
    ----------
    .. [1] P. Koehn et al. (2007), Moses: Open Source Toolkit for Statistical Machine Translation,
       ACL Demo and Poster Sessions. Upstream: alvations/sacremoses, release 0.1.1,
       sacremoses/tokenize.py, unchanged, a port of detokenizer.perl to Python.
    """
