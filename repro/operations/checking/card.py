"""Checks of a card and what stands beside it: they read files, and start nothing."""

from __future__ import annotations

import json
import re
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING

from repro.catalog.lockfile import read_lock
from repro.catalog.places import model_code
from repro.engine.contents import short_name
from repro.errors import CardError, InstanceError
from repro.models import DockerModel, load
from repro.models.lookup import model_class
from repro.operations.checking.findings import (
    Checks,
    Finding,
    Skip,
    error,
    passed,
    skipped,
    warning,
)
from repro.operations.draft import UNKNOWN_LICENSE
from repro.operations.examples import inputs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from repro.operations.checking.subject import Subject

# Of models/Template.md.
PAPER, NO_PAPER = "Differences from the paper", "Differences from what was published"
SECTIONS = ("Input and output", "Usage", "What is claimed", PAPER, "Licence", "Citation")

CHECKS = Checks("card", "card")

MARK = b"replace this"  # in what `repro new` writes:
WRITTEN = ("model.toml", "Readme.md", "Dockerfile", "src/run.py", "__init__.py", "model.py")

_PACKAGE = re.compile(r"(?P<author>[a-z-]+)(?P<year>\d{4})[a-z]?")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_URL = re.compile(r"https?://[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?")


@CHECKS("schema")
def schema(subject: Subject) -> Iterable[Finding]:
    """Look whether the card can be read, has what it must have, and no unknown key."""
    _ = subject.card
    return ()


@CHECKS("names")
def names(subject: Subject) -> Iterator[Finding]:
    """Look whether the package is called after author and year, and its models after it."""
    card, package = subject.card, subject.package
    for name in card.models:
        if name != package and not name.startswith(f"{package}-"):
            yield error(f"the model {name} is not called after the package", f"{package}-…")
    if not card.paper.authors and card.paper.year is None:
        return  # nobody to call it after
    found = _PACKAGE.fullmatch(package)
    if found is None:
        yield error(
            f"{package} is not <author><year>", "rename the folder, and the class's package"
        )
        return
    author = next(iter(card.paper.authors), "")
    words = [*author.split(), author]  # an organisation has no last name
    spellings = {_letters(word) for word in (*words, *map(_umlauts_spelt_out, words))}
    if not any(one.endswith(_letters(found["author"])) for one in spellings):
        yield error(f"{package} is not called after {card.paper.authors[0]}, the first author")
    if found["year"] != str(card.paper.year):
        yield error(f"{package} says {found['year']}, paper.year says {card.paper.year}")


@CHECKS("classes")
def classes(subject: Subject) -> Iterator[Finding]:
    """Look whether the class of each model is there, and registered under the model's name."""
    for name in subject.card.models:
        try:
            model_class(name)
        except CardError as problem:
            yield error(str(problem))
        except Exception as problem:  # noqa: BLE001  whatever the package raises is its own
            module = subject.card.module
            yield error(f"{module} cannot be imported: {type(problem).__name__}: {problem}")


@CHECKS("licence")
def licence(subject: Subject) -> Iterator[Finding]:
    """Look whether the licences are expressions of SPDX."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    card = subject.card
    for key, value in (("license", card.license), ("weights_license", card.weights_license)):
        if key == "weights_license" and not value:
            continue
        try:
            canonical = canonicalize_license_expression(value)
        except InvalidLicenseExpression as problem:
            remedy = "see spdx.org/licenses; what is not there is LicenseRef-NAME"
            yield error(f"{key} = {value!r}: {problem}", remedy)
        else:
            if canonical != value:
                yield warning(f"{key} = {value!r} is written {canonical!r}")


@CHECKS("paper")
def paper(subject: Subject) -> Iterator[Finding]:
    """Look whether the paper is named, and its DOI and URL have the form of one."""
    about = subject.card.paper
    if about.doi and not _DOI.fullmatch(about.doi):
        remedy = 'write it without an address, doi = "10.1000/182"'
        yield error(f"paper.doi = {about.doi!r} is no DOI", remedy)
    if about.url and not _URL.fullmatch(about.url):
        yield error(f"paper.url = {about.url!r} is no URL", "it begins with https://")
    if subject.card.publish:
        for key in ("authors", "year"):  # not all that is published is a paper with a title
            if not getattr(about, key):
                yield error(f"paper.{key} is missing", "say what was published")
        if not about.url and not about.doi:
            yield error("paper has neither a url nor a doi", "say where it was published")


@CHECKS("version")
def version(subject: Subject) -> Iterator[Finding]:
    """Look whether the version is another one if the images are no longer what was published."""
    lock = read_lock(subject.card.folder)
    if lock is None:
        raise Skip("there is no image.lock: nothing was published")
    if lock.version != subject.card.version:
        return
    for recipe in subject.recipes.values():
        locked = lock.image(short_name(recipe))
        if locked is None or locked.context == recipe.digest():
            continue
        message = f"{recipe.name} is not built from what image.lock says"
        if locked.published:
            yield error(f"{message}, and was published", "raise `version` in model.toml")
        else:
            yield warning(message, f"`repro lock {subject.package}` writes it anew")


@CHECKS("readme")
def readme(subject: Subject) -> Iterator[Finding]:
    """Look whether Readme.md has the sections of the template, the models and the commands.

    A model that it names, and the card does not, is one that was called otherwise before.
    """
    path = subject.card.folder / "Readme.md"
    if not path.is_file():
        yield error("there is no Readme.md", "write one after models/Template.md")
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        yield error("Readme.md is not UTF-8", "save it as that")
    else:
        yield from _sections(subject, text)
        yield from _words(subject, text)


def _sections(subject: Subject, text: str) -> Iterator[Finding]:
    heads = set(re.findall(r"(?m)^## (.+?)\s*$", text.replace(NO_PAPER, PAPER)))
    cited = subject.card.publish or subject.card.paper.title
    for section in SECTIONS if cited else SECTIONS[:-1]:
        if section not in heads:
            yield error(f"there is no section {section!r}", "see models/Template.md")


def _words(subject: Subject, text: str) -> Iterator[Finding]:
    for words in _named(subject):
        if words not in text:
            yield error(f"it does not say {words}", "say it, or correct what it says instead")
    for name in sorted(_models_in(text, subject.package) - _called(subject)):
        yield error(f"it names {name}, which is no model of the card", "correct the name")
    if "[x]" in text.lower():
        yield error("a status is ticked by hand", "it is computed from examples, claims and ledger")


def _models_in(text: str, package: str) -> set[str]:
    """Find what is called like a model of the package, as code or as an option."""
    return set(re.findall(rf"(?:`|--model )({package}-[a-z0-9-]+)(?=`|\s)", text))


def _called(subject: Subject) -> set[str]:
    """List what has a name that begins with that of the package."""
    return {*subject.card.models, *(f"{subject.package}-{image}" for image in subject.card.images)}


def _named(subject: Subject) -> list[str]:
    """List what a Readme.md must name: the models, and the commands of what is published."""
    commands = (f"repro setup {subject.package}", f"repro reproduce {subject.package}")
    models = [f"`{name}`" for name in subject.card.models]
    return [*models, *(commands if subject.card.publish else ())]


@CHECKS("finished")
def finished(subject: Subject) -> Iterator[Finding]:
    """Look whether nothing is left to replace of what `repro new` has written."""
    unfinished = error if subject.card.publish else warning
    for folder in dict.fromkeys((subject.card.folder, model_code(subject.package))):
        for path in (folder / name for name in WRITTEN):
            count = path.read_bytes().lower().count(MARK) if path.is_file() else 0
            if count:
                told = f"{path.relative_to(folder)}: {count:,} of what `Replace this` marks"
                yield unfinished(told, "do what stands there")
    if subject.card.license == UNKNOWN_LICENSE:
        yield unfinished("the licence is not known", "ask the authors, or look into their program")


@CHECKS("examples")
def examples(subject: Subject) -> Iterator[Finding]:
    """Look whether each model has an example, and each example the fields of its model."""
    having = {row["model"] for row in subject.examples}
    for name in subject.card.models:
        if name not in having:
            yield error(f"{name} has no example", "add a row to examples.jsonl")
        elif model := _made(name):
            inputs = inputs_of(subject.card, subject.examples, model, name)
            yield from _misfits("examples.jsonl", model, inputs)


def _made(name: str) -> DockerModel | None:
    """Make a model, if it has a container; of a class that is not there card.classes tells."""
    with suppress(Exception):
        made = load(name)
        return made if isinstance(made, DockerModel) else None
    return None


def _misfits(where: str, model: DockerModel, inputs: Iterable[object]) -> Iterator[Finding]:
    for index, given in enumerate(inputs):
        try:
            model.schema.instance(given, index)
        except InstanceError as problem:
            yield error(f"{where}: {problem}")


@CHECKS("claims")
def claims(subject: Subject) -> Iterator[Finding]:
    """Look whether each model has a claim, and what claims name is there: files and fields."""
    having = {claim.model for claim in subject.card.claims}
    for name in subject.card.models:
        if name not in having:
            yield warning(f"{name} has no claim", "add what was published of it as [[claims]]")
    absent = [
        claim
        for claim in subject.card.claims
        if claim.cases and not (subject.card.folder / claim.cases).is_file()
    ]
    for claim in absent:
        told = f"a claim about {claim.model} names {claim.cases}, which is not there"
        yield skipped(told, claim.obtain) if claim.obtain else error(told)
    for claim in subject.card.claims:
        model = _made(claim.model) if claim.input is not None else None
        if model and not model.schema.files:  # whose paths may be those of files in the image
            yield from _misfits(f"a claim of {claim.source}", model, [claim.input])


@CHECKS("ledger")
def ledger(subject: Subject) -> Iterator[Finding]:
    """Look whether the ledger was measured on the card and the images that there are."""
    path = subject.card.folder / "ledger.json"
    remedy = f"`repro reproduce {subject.package} --record` measures anew"
    if not subject.card.claims:
        raise Skip("there are no claims to measure")
    if not path.is_file():
        yield warning("there is no ledger", remedy)
        return
    try:
        about = json.loads(path.read_bytes())
    except ValueError as problem:
        yield error(f"ledger.json is not JSON: {problem}", remedy)
        return
    stale = ["under another card"] if about.get("card_sha256") != subject.card.digest else []
    measured = {_own_name(name): image for name, image in about.get("images", {}).items()}
    now = {_own_name(recipe.name): recipe.digest() for recipe in subject.recipes.values()}
    stale += [
        f"on another {name}"
        for name, context in now.items()
        if measured.get(name, {}).get("context") != context
    ]
    if stale:
        yield warning(f"it was measured {' and '.join(stale)}", remedy)
    else:
        yield passed(f"measured on {about.get('date', 'an unknown day')}")


def _own_name(image: str) -> str:
    """Leave out the namespace, which is somebody's own."""
    return image.rpartition("/")[2]


def _umlauts_spelt_out(name: str) -> str:
    """Write ä, ö and ü as Germans do without them."""
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        name = unicodedata.normalize("NFC", name.lower()).replace(umlaut, letters)
    return name


def _letters(name: str) -> str:
    """Write a name with plain small letters alone."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss").replace("ø", "o"))
    return "".join(c for c in plain if "a" <= c <= "z")
