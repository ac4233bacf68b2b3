"""Publish the images of packages: plan what a registry lacks, build, check, push, read back."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from repro.catalog.lockfile import read_lock
from repro.catalog.repository import repository
from repro.common.config import read_config
from repro.engine.base import CERTIFICATES_LABEL
from repro.engine.client import connect
from repro.engine.contents import short_name
from repro.engine.context import CONTEXT_LABEL
from repro.engine.push import push
from repro.engine.recipe import check as set_up
from repro.engine.recipe import recipe_of
from repro.engine.registry import Registry
from repro.errors import (
    ConfigurationError,
    EngineError,
    InputError,
    ModelError,
    RegistryError,
    ReproError,
)
from repro.operations.checking import check_packages, sentence
from repro.operations.locking import lock, record
from repro.operations.setup import setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from repro.catalog import Card
    from repro.catalog.lockfile import LockedImage
    from repro.catalog.repository import Repository
    from repro.engine.recipe import Recipe
    from repro.operations.checking import Level

# What is, or would be, done about one image. Of a version that the registry has, `present` says
# that it was built from the same, `refused` that it was not, or that the image is not for others;
# `unknown` says that the registry does not tell whether it has it.
Action = Literal[
    "publish", "published", "checked", "present", "skipped", "refused", "unknown", "failed"
]


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What is, or would be, done about one image; `reason` says why, where that needs saying."""

    package: str
    image: str
    version: str
    action: Action
    digest: str = ""
    reason: str = ""
    exit_code: int = 0


def plan(cards: Sequence[Card], registry: str | None = None) -> Iterator[Publication]:
    """Tell what publishing would do; the registry is asked, no engine is needed.

    Parameters
    ----------
    cards : sequence of Card
        The packages'.
    registry : str, optional
        The registry and the namespace there, as in ``ghcr.io/owner``; by default the
        configuration's.

    Raises
    ------
    ConfigurationError
        If no registry is named.
    """
    with ExitStack() as stack:
        known: dict[str, Registry] = {}
        for card, name, place in _images(cards, registry):
            if place.host not in known:
                known[place.host] = stack.enter_context(closing(Registry(place.host)))
            yield _plan(card, name, place, known[place.host])


def publish(
    cards: Sequence[Card],
    registry: str | None = None,
    *,
    level: Level = "full",
    dry_run: bool = False,
    report: Callable[[str, str], None] = lambda _package, _line: None,
) -> Iterator[Publication]:
    """Publish what the registry lacks: build, check, push, read the digest back, write it down.

    One that fails is told and stops no other.

    Parameters
    ----------
    cards, registry
        As in `plan`.
    level : "card", "build", "contract" or "full"
        How far to check before.
    dry_run : bool
        Build and check, and push nothing.
    report : callable, optional
        Gets (package, line) of what is done.

    Raises
    ------
    ConfigurationError
        If no registry is named.
    """
    check = _Checked(level)
    for card, name, place in _images(cards, registry):
        with closing(Registry(place.host)) as asked:
            planned = _plan(card, name, place, asked)
        if planned.action == "publish":
            act = partial(
                _publish, check=check, dry_run=dry_run, report=partial(report, card.package)
            )
            yield _attempt(card, name, planned, act)
        elif planned.action == "present" and not dry_run:
            yield _attempt(card, name, planned, _note)
        else:
            yield planned


def _images(cards: Sequence[Card], registry: str | None) -> Iterator[tuple[Card, str, Repository]]:
    registry = registry or read_config().registry
    if not registry:
        raise ConfigurationError(
            "no registry is named; give --registry HOST/NAMESPACE, or set `registry` in the "
            "configuration"
        )
    for card in cards:
        for name in card.images:
            suffix = f"-{name}" if name else ""
            yield card, name, repository(f"{registry.rstrip('/')}/{card.package}{suffix}")


def _plan(card: Card, name: str, place: Repository, registry: Registry) -> Publication:
    """Compare one image with what the registry has."""
    about = Publication(
        package=card.package, image=str(place), version=card.version, action="publish"
    )
    if not card.publish:
        return replace(about, action="skipped", reason="its card says publish = false")
    try:
        recipe = recipe_of(card, name, namespace=read_config().namespace)
        # Both are read first: what is wrong with them is told whatever the registry has.
        context, lock = recipe.digest(), read_lock(card.folder)
        digest = registry.digest(place.path, card.version)
        if digest is None:
            return about
        locked = lock.image(short_name(recipe)) if lock is not None else None
        if _built_from(locked, place, digest, registry) == context:
            return replace(about, action="present", digest=digest)
    except ReproError as error:
        unknown = isinstance(error, RegistryError)
        return replace(_failed(about, error), action="unknown" if unknown else "failed")
    return replace(
        about,
        action="refused",
        digest=digest,
        reason=f"{place}:{card.version} is published, from other files; a published version stays "
        "as it is: write a new version into model.toml",
        exit_code=InputError.exit_code,
    )


def _built_from(
    locked: LockedImage | None, place: Repository, digest: str, registry: Registry
) -> str:
    """Tell what a published image was built from; its label is read only if the lock is silent."""
    if locked is not None and locked.published.get(str(place)) == digest:
        return locked.context
    manifest = registry.manifest(place.path, digest)
    return "" if manifest is None else registry.labels(place.path, manifest).get(CONTEXT_LABEL, "")


def _attempt(
    card: Card,
    name: str,
    planned: Publication,
    act: Callable[[Card, Recipe, Publication], Publication],
) -> Publication:
    try:
        return act(card, recipe_of(card, name, namespace=read_config().namespace), planned)
    except ReproError as error:
        return _failed(planned, error)


def _failed(about: Publication, error: ReproError) -> Publication:
    return replace(about, action="failed", reason=str(error), exit_code=error.exit_code)


def _publish(
    card: Card,
    recipe: Recipe,
    planned: Publication,
    *,
    check: _Checked,
    dry_run: bool,
    report: Callable[[str], None],
) -> Publication:
    """Publish one image that the registry lacks."""
    engine = connect()
    setup(card, report=report)
    image = set_up(engine, recipe)
    if CERTIFICATES_LABEL in image.labels:
        reason = (
            "it has a site's certificates in it, which are not for others; build it without: "
            f"`REPRO_CA_BUNDLE= repro setup --build {card.package}`"
        )
        return replace(planned, action="refused", reason=reason, exit_code=EngineError.exit_code)
    check.have_passed(card, report)
    if dry_run:
        return replace(planned, action="checked", reason="it would be pushed")
    lock(card)
    place = repository(planned.image)
    report(f"pushing {place}:{card.version}")
    digest = push(engine, recipe.name, place, card.version, report)
    record(card, short_name(recipe), str(place), digest)
    return replace(planned, action="published", digest=digest)


def _note(card: Card, recipe: Recipe, planned: Publication) -> Publication:
    """Write down the digest of a version that is published, if the lock there is lacks it."""
    written = read_lock(card.folder)
    locked = written.image(short_name(recipe)) if written is not None else None
    if locked is None or locked.context != recipe.digest():
        reason = f"no image.lock has its digest: `repro lock {card.package}`, then publish again"
        return replace(planned, reason=reason)
    if locked.published.get(planned.image) != planned.digest:
        record(card, locked.name, planned.image, planned.digest)
    return planned


class _Checked:
    """The packages that have passed their checks; those with several images need no second time."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._passed: set[str] = set()

    def have_passed(self, card: Card, report: Callable[[str], None]) -> None:
        """Check a package, as `repro check` does.

        Raises
        ------
        ModelError
            With the first thing that is wrong.
        """
        if card.package in self._passed:
            return
        report("checking")
        named = f"{card.package}: "  # which the reader is told already
        (found,) = check_packages(
            [card.package], self._level, report=lambda line: report(line.removeprefix(named))
        )
        wrong = [
            f"{result.check}: {sentence(finding)}"
            for result in found.results
            for finding in result.findings
            if finding.outcome == "error"
        ]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            remedy = f"`repro check {card.package}` tells all; nothing was pushed"
            raise ModelError(f"{wrong[0]}{more}; {remedy}")
        self._passed.add(card.package)
