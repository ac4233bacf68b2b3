"""What is said of a package before it is written, each part checked by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from repro.catalog.card import LANGUAGE
from repro.catalog.suites import SUITES
from repro.catalog.tasks import task_named
from repro.errors import ConfigurationError
from repro.models.schema import INSTANCE_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PLAIN = ("str", "int", "float", "bool")
FILES = {"File": "example.txt", "Image": "example.png", "Audio": "example.wav"}  # and a small one
CONTENT = "Content"
UNKNOWN_LICENSE = "LicenseRef-unknown"

# What a class of a package cannot be called: its module has these already.
_TAKEN = {"Model", "DockerModel", CONTENT, *FILES}

_RESERVED = {INSTANCE_ID, "self"}

# Marks that printed titles have, and that a linter takes for slips in a program.
_MARKS = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201c\u201d", "-----''\"\"")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A package to be written; `title` to `authors` are the paper's.

    Each of `fields` is a name and a type, with a colon between them.
    """

    package: str
    variant: str = ""
    title: str = ""
    url: str = ""
    doi: str = ""
    authors: tuple[str, ...] = ()
    task: str = "text-transformation"
    fields: tuple[str, ...] = ("text:str",)
    returns: str = "str"
    base: str = SUITES[0]
    languages: tuple[str, ...] = ()
    license: str = UNKNOWN_LICENSE

    def __post_init__(self) -> None:
        """Check every part; each is kept as it is to be written."""
        for name, check in CHECKS.items():
            object.__setattr__(self, name, check(getattr(self, name)))
        if not self.authors:
            author = re.split(r"\d", self.package)[0].capitalize()
            object.__setattr__(self, "authors", (author,))

    @property
    def types(self) -> dict[str, str]:
        """The types of the fields, by their names."""
        return {name: kind for name, _, kind in (one.partition(":") for one in self.fields)}

    @property
    def year(self) -> int:
        """The year in the package's name."""
        return int("".join(filter(str.isdigit, self.package)))

    @property
    def model(self) -> str:
        """The name that its model registers."""
        return f"{self.package}-{self.variant}" if self.variant else self.package

    @property
    def class_name(self) -> str:
        """The name of its model's class: that of the variant, if it can be one."""
        name = "".join(part.capitalize() for part in self.variant.split("-"))
        if name.isidentifier() and not iskeyword(name) and name not in _TAKEN:
            return name
        return self.package.capitalize() + name


def check_package(name: str) -> str:
    """Check the name of a package: first author and year of its paper."""
    if not re.fullmatch(r"[a-z]+(1[89]|20)[0-9]{2}[a-z]?", name):
        raise _wrong("package", name, "write <author><year> in small letters, such as kane2020")
    return name


def check_variant(name: str) -> str:
    """Check what comes after the package in a model's name; there may be nothing."""
    if name and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise _wrong("variant", name, "small letters, digits and hyphens")
    return name


def check_line(text: str) -> str:
    """Check words for people; typographic dashes and quotation marks become plain ones."""
    plain = " ".join(text.split()).translate(_MARKS)
    if not plain.isprintable() or '"""' in plain or "\\" in plain:
        raise _wrong("text", text, "without control characters, backslashes and triple quotes")
    return plain


def check_url(url: str) -> str:
    """Check a web address; there may be none."""
    if url and not re.fullmatch(r"https?://[!#-~]+", url):
        raise _wrong("web address", url, "it begins with https://, without quotes and blanks")
    return url


def check_doi(doi: str) -> str:
    """Check a DOI, given alone or as an address; there may be none."""
    found = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:\s*)", "", doi)
    if found and not re.fullmatch(r"10\.\d{4,9}/[!#-~]+", found):
        raise _wrong("DOI", doi, "such as 10.18653/v1/2020.nlposs-1.15")
    return found


def check_type(kind: str, *, of: str) -> str:
    """Check the type of a field or of the prediction, and write it as a formatter would.

    Parameters
    ----------
    kind : str
        A plain type, a list of one, a dict from str to one; a kind of file; or for a prediction
        ``Content``.
    of : {"field", "prediction"}
        Of what it is the type.
    """
    found = re.sub(r"\s", "", kind).replace(",", ", ")
    inner = re.fullmatch(r"(?:list\[|dict\[str, )?(\w+)\]?", found)
    plain = inner is not None and inner[1] in PLAIN and found.count("[") == found.count("]")
    others = FILES if of == "field" else (CONTENT,)
    if not plain and found not in others:
        known = f"{', '.join((*PLAIN, *others))}, list[…] or dict[str, …] of a plain one"
        raise _wrong(f"type of a {of}", kind, f"there are {known}")
    return found


def check_fields(words: Sequence[str]) -> tuple[str, ...]:
    """Check fields, each written ``name:type``."""
    found: dict[str, str] = {}
    for word in words:
        name, colon, kind = (part.strip() for part in word.partition(":"))
        right = re.fullmatch(r"[a-z][a-z0-9_]{,39}", name) and name not in _RESERVED
        if not colon or not right or iskeyword(name):
            remedy = "a name in small letters that is no word of Python, a colon and a type"
            raise _wrong("field", word, f"it is {remedy}, such as text:str")
        if name in found:
            raise _wrong("field", word, "there is one of that name already")
        found[name] = check_type(kind, of="field")
    if not found:
        raise ConfigurationError("a model needs a field; write it like text:str")
    return tuple(f"{name}:{kind}" for name, kind in found.items())


def check_languages(words: Sequence[str]) -> tuple[str, ...]:
    """Check codes of languages."""
    for word in words:
        if not LANGUAGE.fullmatch(word):
            raise _wrong("language", word, "a code of BCP 47, such as en or pt-BR")
    return tuple(dict.fromkeys(words))


def check_license(text: str) -> str:
    """Check a licence, an expression of SPDX; it is written as SPDX does."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression as error:
        remedy = f"an expression of SPDX, such as MIT, or {UNKNOWN_LICENSE} until it is known"
        raise _wrong("licence", text, remedy) from error


def check_base(suite: str) -> str:
    """Check the Debian suite of the image."""
    if suite not in SUITES:
        raise _wrong("Debian suite", suite, f"there are {', '.join(SUITES)}")
    return suite


def _check_authors(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(check_line, names)))


CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "package": check_package,
    "variant": check_variant,
    "title": check_line,
    "url": check_url,
    "doi": check_doi,
    "authors": _check_authors,
    "task": task_named,
    "fields": check_fields,
    "returns": partial(check_type, of="prediction"),
    "base": check_base,
    "languages": check_languages,
    "license": check_license,
}


def _wrong(kind: str, given: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{given!r} cannot be a {kind}; {remedy}")
