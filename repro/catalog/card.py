"""A package's card, `model.toml`: the one file that tooling reads."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from repro.catalog.claim import Claim, read_claim
from repro.catalog.index import name_taken, read_models
from repro.catalog.packages import OURS, find_place, places
from repro.catalog.places import model_code
from repro.catalog.suites import SUITES
from repro.catalog.table import Table
from repro.catalog.tasks import TASKS, task_hint
from repro.catalog.weights import Weights, read_weights
from repro.common.sizes import parse_bytes
from repro.errors import CardError, UnknownNameError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from repro.catalog.packages import Place

DEFAULT_IMAGE = ""  # the name of a package's first image

_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
# BCP 47 as it is commonly written: language, script, region, variants.
LANGUAGE = re.compile(
    r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?(-([a-z\d]{5,8}|\d[a-z\d]{3}))*"
)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What was published."""

    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    url: str = ""
    doi: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageCard:
    """One image of a package."""

    dockerfile: str = "Dockerfile"
    base: str = "bookworm"


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """One registered model of a package.

    `command` is what its container runs, to which the words of the contract are appended.
    `deterministic` and `tolerance` are about the same instances in the same batches.
    """

    name: str
    class_name: str
    task: str
    command: tuple[str, ...] = ("python", "run.py")
    image: str = DEFAULT_IMAGE
    summary: str = ""
    network: bool = False
    memory: int | None = None  # bytes
    cold: bool = False  # whether the program has no worker mode
    batch_invariant: bool = True
    deterministic: bool = True  # whether it answers the same when it is asked again
    tolerance: float = 0.0  # by how much the numbers of two runs may differ


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a package says of itself.

    `folder` has its files, `module` its classes, `digest` is the SHA-256 of the card. `license` is
    that of the code, and `weights_license` that of weights and data where it is another one.
    `upstream` names what the image installs, with its version; `languages` are codes of BCP 47,
    none where a model knows no language.
    """

    package: str
    folder: Path
    module: str
    digest: str
    version: str
    title: str
    summary: str
    license: str
    weights_license: str
    upstream: str
    languages: tuple[str, ...]
    publish: bool
    paper: Paper
    models: Mapping[str, ModelCard]
    images: Mapping[str, ImageCard]
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    weights: tuple[Weights, ...] = ()

    @property
    def licenses(self) -> str:
        """The licences of all that is in the images, as one expression of SPDX."""
        return " AND ".join(filter(None, (self.license, self.weights_license)))


def read_cards(on_error: Callable[[CardError], None] | None = None) -> Iterator[Card]:
    """Read every card: ours sorted by package, then those of other distributions.

    A card that is not right is left out where `on_error` is told what is wrong with it.
    """
    for place in places():
        try:
            card = _read_at(place)
        except CardError as error:
            if on_error is None:
                raise
            on_error(error)
        else:
            yield card


def list_packages() -> list[str]:
    """List the names of all packages that have a card, without reading any."""
    return sorted(place.package for place in places())


def list_models(on_error: Callable[[CardError], None] | None = None) -> list[str]:
    """List the names of all models, without importing any; cards that are not right as above."""
    return sorted(str(entry["model"]) for _, models in read_models(on_error) for entry, _ in models)


def find_package(package: str) -> Card:
    """Read the card of one package.

    Raises
    ------
    UnknownNameError
        If there is no such package, or it has no card.
    """
    place = find_place(package) if _NAME.fullmatch(package) else None
    if place is None:
        if _NAME.fullmatch(package) and (model_code(package) / "__init__.py").is_file():
            hint = f"it has classes alone; write models/{package}/model.toml"
            raise UnknownNameError("package with a card", package, (), hint)
        hint = "`repro list` shows what there is"
        raise UnknownNameError("package", package, list_packages(), hint)
    return _read_at(place)


def _read_at(place: Place) -> Card:
    """Read the card of a package; one of others may not name a model as another package does."""
    card = read_card(place.card, place.module)
    if not place.module.startswith(f"{OURS}."):
        owners = {
            entry["model"]: owner.package
            for owner, models in read_models(lambda _: None)
            for entry, _ in models
        }
        for model in card.models:
            if owners.get(model, card.package) != card.package:
                raise name_taken(card.package, model, owners[model])
    return card


def find_model(name: str) -> tuple[Card, ModelCard]:
    """Find a model and its package by the model's name; only its own card is read.

    Raises
    ------
    UnknownNameError
        If no card has it.
    CardError
        If the card that should have it is not right; what is wrong with others does no harm.
    """
    known: list[str] = []
    broken: list[CardError] = []
    for place, models in read_models(broken.append):
        names = [str(entry["model"]) for entry, _ in models]
        if name in names:
            card = read_card(place.card, place.module)
            if name in card.models:  # else it changed just now
                return card, card.models[name]
        known += names
    for error in broken:
        if name.startswith(error.file.partition("/")[0]):
            raise error
    hint = "`repro list` shows what there is"
    if broken:
        hint += f", and what is wrong with {' and '.join(error.file for error in broken)}"
    raise UnknownNameError("model", name, known, hint)


def read_card(file: Path, module: str = "") -> Card:
    """Read one card, whose package has its classes in `module`, by default among ours.

    Raises
    ------
    CardError
        With file, key and remedy, if it is not right.
    """
    name = f"{file.parent.name}/{file.name}"
    if not _NAME.fullmatch(file.parent.name):
        problem = f"{file.parent.name!r} cannot be a package's name"
        raise CardError(name, "the folder", problem, "small letters and digits: <author><year>")
    try:
        content = file.read_bytes()
        values = tomllib.loads(content.decode())
    except OSError as error:
        raise CardError(name, "the file", error.strerror or str(error)) from error
    except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError are
        raise CardError(name, "the file", f"is not TOML: {error}") from error
    table = Table(name, "", values)
    images = dict(_read_images(table))
    models = {key: _read_model(key, model, images) for key, model in table.tables("models")}
    if not models:
        raise table.error("models", "is empty", "add a table [models.NAME] with class and task")
    card = Card(
        package=file.parent.name,
        folder=file.parent,
        module=module or f"{OURS}.{file.parent.name}",
        digest=hashlib.sha256(content).hexdigest(),
        version=_read_version(table),
        title=table.need("title", str),
        summary=table.need("summary", str),
        license=table.need("license", str),
        weights_license=table.get("weights_license", str, ""),
        upstream=table.need("upstream", str),
        languages=_read_languages(table),
        publish=table.get("publish", bool, False),
        paper=_read_paper(table.table("paper")),
        models=models,
        images=images,
        build_arguments=_read_build_arguments(table),
        claims=tuple(read_claim(claim, models) for claim in table.array("claims")),
        weights=tuple(read_weights(table, images)),
    )
    table.done()
    return card


def _read_version(table: Table) -> str:
    version = table.need("version", str)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", version):
        remedy = "it is an image's tag: letters, digits, dots, hyphens"
        raise table.error("version", f"{version!r} cannot be a version", remedy)
    return version


def _read_languages(table: Table) -> tuple[str, ...]:
    languages = table.strings("languages")
    for code in languages:
        if not LANGUAGE.fullmatch(code):
            remedy = "write it as BCP 47 does: en, pt-BR, zh-Hant"
            raise table.error("languages", f"{code!r} is not a code of a language", remedy)
    if len(set(languages)) < len(languages):
        raise table.error("languages", "names a language twice")
    return languages


def _read_task(table: Table) -> str:
    task = table.need("task", str)
    if task not in TASKS:
        raise table.error("task", f"{task!r} is not a task", task_hint(task))
    return task


def _read_paper(table: Table) -> Paper:
    paper = Paper(
        title=table.get("title", str, ""),
        authors=table.strings("authors"),
        year=table.get("year", int, 0) or None,
        venue=table.get("venue", str, ""),
        url=table.get("url", str, ""),
        doi=table.get("doi", str, ""),
    )
    table.done()
    return paper


def _read_images(table: Table) -> Iterator[tuple[str, ImageCard]]:
    """Read the images; the first one has no table, its suite is the card's `base`."""
    base = _read_suite(table, "bookworm")
    yield DEFAULT_IMAGE, ImageCard(base=base)
    for name, image in table.tables("images"):
        if not _NAME.fullmatch(name):
            raise image.error("", f"{name!r} cannot be part of an image's name")
        yield (
            name,
            ImageCard(dockerfile=image.need("dockerfile", str), base=_read_suite(image, base)),
        )
        image.done()


def _read_suite(table: Table, default: str) -> str:
    suite = table.get("base", str, default)
    if suite not in SUITES:
        raise table.error("base", f"{suite!r} is not a base", f"one of {', '.join(SUITES)}")
    return suite


def _read_model(name: str, table: Table, images: Mapping[str, ImageCard]) -> ModelCard:
    if not _NAME.fullmatch(name):
        remedy = "small letters, digits and hyphens: <author><year>[-<variant>]"
        raise table.error("", f"{name!r} cannot be a model's name", remedy)
    model = ModelCard(
        name=name,
        class_name=table.need("class", str),
        task=_read_task(table),
        command=table.strings("command", ModelCard.command),
        image=table.get("image", str, DEFAULT_IMAGE),
        summary=table.get("summary", str, ""),
        network=table.get("network", bool, False),
        memory=_read_memory(table),
        cold=table.get("cold", bool, False),
        batch_invariant=table.get("batch_invariant", bool, True),
        deterministic=table.get("deterministic", bool, True),
        tolerance=_read_tolerance(table),
    )
    if model.image not in images:
        raise table.error(
            "image", f"there is no [images.{model.image}]", "add it, or leave this out"
        )
    if not model.command:
        raise table.error("command", "is empty", "leave it out for `python run.py`")
    table.done()
    return model


def _read_tolerance(table: Table) -> float:
    text = table.get("tolerance", str, "0")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < inf:
        raise table.error("tolerance", f"{text!r} is no number of at least 0", 'such as "1e-6"')
    return value


def _read_memory(table: Table) -> int | None:
    text = table.get("memory", str, "")
    if not text:
        return None
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise table.error("memory", str(error)) from None


def _read_build_arguments(table: Table) -> dict[str, str]:
    build = table.table("build")
    arguments = build.rest("args")
    for key, value in arguments.items():
        if not isinstance(value, str):
            raise build.error(f"args.{key}", f"must be a string, not {value!r}")
    build.done()
    return {key: str(value) for key, value in arguments.items()}
