"""Have the images of packages."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Literal

from repro.catalog.lockfile import differences, read_lock
from repro.common.config import read_config
from repro.engine import image as images
from repro.engine.base import ensure_base
from repro.engine.client import connect
from repro.engine.contents import look_into, short_name
from repro.engine.recipe import ARGUMENTS_LABEL, build, matches, recipe_of
from repro.errors import ConfigurationError, ImageDrifted, ImageNotFound, ReproError
from repro.operations.pulling import exact_names, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from repro.catalog import Card
    from repro.engine.client import Engine
    from repro.engine.image import Image
    from repro.engine.recipe import Recipe
    from repro.errors import CardError

Action = Literal["present", "pulled", "built", "rebuilt", "failed"]


@dataclass(frozen=True, kw_only=True)
class SetupResult:
    """What was done about one image; `size` in bytes, shared layers included."""

    package: str
    image: str
    action: Action
    size: int = 0
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How an image shall be had.

    Parameters
    ----------
    build, pull : bool
        Build it, though it is there or could be pulled; or pull it, and never build it.
    locked : bool
        Refuse an image that is not what the package's `image.lock` says.
    arguments : mapping of str to str
        Other values of build arguments than the card's.
    """

    build: bool = False
    pull: bool = False
    locked: bool = False
    arguments: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pull and (self.build or self.arguments):
            raise ConfigurationError("an image that is pulled is not built: choose one of the two")


def setup(
    card: Card, wish: Wish | None = None, *, report: Callable[[str], None] | None = None
) -> list[SetupResult]:
    """Have the images of a package that are not there, or were built from something else.

    They are pulled by the digest in the package's `image.lock`, or built where that fails.

    Parameters
    ----------
    card : Card
        The package's.
    wish : Wish, optional
        How to have them.
    report : callable, optional
        Gets the lines of the builds.

    Raises
    ------
    BuildError
        With the failing step, if one fails.
    """
    return [_set_up(card, name, wish or Wish(), report=report) for name in card.images]


def _set_up(
    card: Card,
    name: str,
    wish: Wish,
    *,
    bases: _Bases | None = None,
    report: Callable[[str], None] | None = None,
) -> SetupResult:
    """Have one image of a package."""
    engine, started = connect(), time.monotonic()
    recipe = recipe_of(card, name, namespace=read_config().namespace)
    if wish.arguments:
        recipe = recipe.with_arguments(wish.arguments)
    found = images.find(engine, recipe.name)
    action: Action = "built" if found is None else "rebuilt"
    if found is not None and not wish.build and _serves(recipe, found, wish):
        action = "present"
    elif (pulled := _pulled(engine, card, recipe, wish, report)) is not None:
        action, found = "pulled", pulled
    else:
        if bases is not None and recipe.suite is not None:
            bases.have(recipe.suite)
        found = build(engine, recipe, report)
    if wish.locked:
        _check_lock(engine, card, recipe)
    return SetupResult(
        package=card.package,
        image=recipe.name,
        action=action,
        size=found.size,
        seconds=time.monotonic() - started,
    )


def _serves(recipe: Recipe, found: Image, wish: Wish) -> bool:
    """Tell whether an image that is there is the one that is wanted."""
    chosen = found.labels.get(ARGUMENTS_LABEL)
    same = not wish.arguments or chosen == recipe.labels[ARGUMENTS_LABEL]
    return same and matches(recipe, found)


def _pulled(
    engine: Engine,
    card: Card,
    recipe: Recipe,
    wish: Wish,
    report: Callable[[str], None] | None,
) -> Image | None:
    """Pull an image by its digest; None if it has none, or cannot be had and may be built."""
    names = [] if wish.build or wish.arguments else exact_names(card, recipe)
    if not names and wish.pull:
        remedy = f"no image.lock has a digest of it; `repro setup --build {card.package}` builds it"
        raise ImageNotFound(recipe.name, remedy, images.NOT_PULLED)
    try:
        return fetch(engine, recipe, names, report) if names else None
    except ImageNotFound:  # why was reported
        if wish.pull:
            raise
        return None


def _check_lock(engine: Engine, card: Card, recipe: Recipe) -> None:
    """Compare an image with the package's lock."""
    lock = read_lock(card.folder)
    locked = lock.image(short_name(recipe)) if lock is not None else None
    if lock is None or locked is None:
        problem = f"{card.package}/image.lock does not have the image {short_name(recipe)}"
        raise ConfigurationError(f"{problem}; `repro lock {card.package}` writes it")
    platform, found = look_into(engine, recipe)
    told = differences(locked, found)
    for word, before, now in (
        ("the version", lock.version, card.version),
        ("the platform", lock.platform, platform),
    ):
        if before != now:
            told.insert(0, f"{word}: locked {before}, now {now}")
    if told:
        remedy = f"`repro lock {card.package}` locks what is there now"
        if locked.published:
            remedy = f"`repro pull {card.package}` takes the published one; {remedy}"
        raise ImageDrifted(recipe.name, told, remedy)


def set_up_each(
    card: Card,
    wish: Wish | None = None,
    *,
    bases: _Bases | None = None,
    report: Callable[[str], None] | None = None,
) -> Iterator[tuple[str, SetupResult]]:
    """Set up the images of a package; yield (image, result), where a failure is a result."""
    for name in card.images:
        try:
            result = _set_up(card, name, wish or Wish(), bases=bases, report=report)
        except ReproError as error:
            image = f"{card.package}-{name}" if name else card.package
            result = SetupResult(
                package=card.package, image=image, action="failed", error=str(error)
            )
        yield name, result


def setup_many(
    cards: Sequence[Card],
    wish: Wish | None = None,
    *,
    jobs: int = 1,
    report: Callable[[str, str], None] = lambda _package, _line: None,
) -> Iterator[SetupResult]:
    """Set up several packages, some at once; one that fails is a result and stops no other.

    Parameters
    ----------
    cards : sequence of Card
        The packages'.
    wish : Wish, optional
        How to have the images.
    jobs : int
        How many at once.
    report : callable, optional
        Gets (package, line) of the builds.

    Raises
    ------
    EngineUnavailable
        If there is no engine to build with.
    """
    connect()
    bases = _Bases(report)

    def one(card: Card) -> list[SetupResult]:
        done = set_up_each(card, wish, bases=bases, report=partial(report, card.package))
        return [result for _, result in done]

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        for results in pool.map(one, cards):
            yield from results


def not_read(error: CardError) -> SetupResult:
    """Make a result of a card that is not right."""
    package = error.file.partition("/")[0]
    return SetupResult(package=package, image=package, action="failed", error=str(error))


def setup_base(suite: str, report: Callable[[str], None] | None = None) -> str:
    """Have the base image of a Debian suite; return its name."""
    return ensure_base(connect(), suite, report)


class _Bases:
    """The bases of several builds: each is made once, also if that fails."""

    def __init__(self, report: Callable[[str, str], None]) -> None:
        self._report = report
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)
        self._outcomes: dict[str, ReproError | None] = {}

    def have(self, suite: str) -> None:
        """Have the base of a Debian suite; whoever else wants it waits.

        Raises
        ------
        ReproError
            If it cannot be made, to all who want it.
        """
        with self._locks[suite]:
            if suite not in self._outcomes:
                self._outcomes[suite] = None
                try:
                    setup_base(suite, partial(self._report, suite))
                except ReproError as error:
                    self._outcomes[suite] = error
            failure = self._outcomes[suite]
        if failure is not None:
            raise failure
