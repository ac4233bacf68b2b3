"""Have the images of packages."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Literal

from repro.catalog import find_package
from repro.common.config import read_config
from repro.engine import image as images
from repro.engine.base import ensure_base
from repro.engine.client import connect
from repro.engine.recipe import ARGUMENTS_LABEL, build, matches, recipe_of
from repro.errors import ImageNotFound, ReproError, UnknownNameError
from repro.models.lookup import packages_without_card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from repro.catalog import Card
    from repro.errors import CardError

Action = Literal["present", "built", "rebuilt", "failed"]


@dataclass(frozen=True, kw_only=True)
class SetupResult:
    """What was done about one image; `size` in bytes, shared layers included."""

    package: str
    image: str
    action: Action
    size: int = 0
    seconds: float = 0.0
    error: str = ""


def setup(
    card: Card,
    *,
    force: bool = False,
    arguments: Mapping[str, str] | None = None,
    report: Callable[[str], None] | None = None,
) -> list[SetupResult]:
    """Build the images of a package that are not there, or were built from something else.

    Parameters
    ----------
    card : Card
        The package's.
    force : bool
        Build also what is there.
    arguments : mapping of str to str, optional
        Other values of build arguments than the card's.
    report : callable, optional
        Gets the lines of the builds.

    Raises
    ------
    BuildError
        With the failing step, if one fails.
    """
    prepare = partial(_set_up, card, force=force, arguments=arguments, report=report)
    return [prepare(name) for name in card.images]


def _set_up(
    card: Card,
    name: str,
    *,
    force: bool = False,
    arguments: Mapping[str, str] | None = None,
    bases: _Bases | None = None,
    report: Callable[[str], None] | None = None,
) -> SetupResult:
    """Have one image of a package."""
    engine, started = connect(), time.monotonic()
    recipe = recipe_of(card, name, namespace=read_config().namespace)
    if arguments:
        recipe = recipe.with_arguments(arguments)
    found = images.find(engine, recipe.name)
    action: Action = "built" if found is None else "rebuilt"
    same = not arguments or (
        found is not None and found.labels.get(ARGUMENTS_LABEL) == recipe.labels[ARGUMENTS_LABEL]
    )
    if found is not None and not force and same and matches(recipe, found):
        action = "present"
    else:
        if bases is not None and recipe.suite is not None:
            bases.have(recipe.suite)
        found = build(engine, recipe, report)
    return SetupResult(
        package=card.package,
        image=recipe.name,
        action=action,
        size=found.size,
        seconds=time.monotonic() - started,
    )


def set_up_each(
    card: Card,
    *,
    force: bool = False,
    arguments: Mapping[str, str] | None = None,
    bases: _Bases | None = None,
    report: Callable[[str], None] | None = None,
) -> Iterator[tuple[str, SetupResult]]:
    """Set up the images of a package; yield (image, result), where a failure is a result."""
    for name in card.images:
        try:
            result = _set_up(
                card, name, force=force, arguments=arguments, bases=bases, report=report
            )
        except ReproError as error:
            image = f"{card.package}-{name}" if name else card.package
            result = SetupResult(
                package=card.package, image=image, action="failed", error=str(error)
            )
        yield name, result


def setup_many(
    cards: Sequence[Card],
    *,
    jobs: int = 1,
    force: bool = False,
    arguments: Mapping[str, str] | None = None,
    report: Callable[[str, str], None] = lambda _package, _line: None,
) -> Iterator[SetupResult]:
    """Set up several packages, some at once; one that fails is a result and stops no other.

    Parameters
    ----------
    cards : sequence of Card
        The packages'.
    jobs : int
        How many at once.
    force, arguments
        As in `setup`.
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
        done = set_up_each(
            card,
            force=force,
            arguments=arguments,
            bases=bases,
            report=partial(report, card.package),
        )
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


def pull(package: str, *, report: Callable[[str], None] | None = None) -> list[tuple[str, str]]:
    """Pull the images of a package; return (package, image) of each.

    Raises
    ------
    ImageNotFound
        If no registry that answers has one; `repro setup` builds it.
    """
    names = _image_names(package)
    for name in names:
        try:
            images.pull(connect(), name, report)
        except ImageNotFound as error:
            remedy = f"{error.remedy}; `repro setup {package}` builds it"
            raise ImageNotFound(name, remedy) from error
    return [(package, name) for name in names]


def _image_names(package: str) -> list[str]:
    try:
        card = find_package(package)
    except UnknownNameError:
        if package not in set(packages_without_card()):
            raise
        return [str(import_module(f"repro.models.{package}").DEFAULT_IMAGE)]
    namespace = read_config().namespace
    return [recipe_of(card, name, namespace=namespace).name for name in card.images]


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
