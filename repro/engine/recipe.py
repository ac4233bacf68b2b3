"""What an image of a package is made from, and what it is called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from repro.catalog.card import DEFAULT_IMAGE, Card
from repro.catalog.places import runtime_file
from repro.engine import image as images
from repro.engine.base import CERTIFICATES_LABEL, base_digest, ensure_base
from repro.engine.context import CONTEXT_LABEL, BuildContext
from repro.engine.lock import one_at_a_time
from repro.engine.weights import fetch
from repro.errors import ConfigurationError, ImageNotFound, ImageOutdated, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from repro.catalog.weights import Weights
    from repro.engine.client import Engine
    from repro.engine.image import Image

PACKAGE_LABEL = "repro.package"
CONTRACT_LABEL = "repro.contract"
ARGUMENTS_LABEL = "repro.arguments"  # the build arguments that were chosen at set-up

_USES_BASE = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*\$\{?BASE\}?", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to make one image.

    `name` is the image's, `suite` the Debian suite of its base (None if its parent is not ours).
    """

    package: str
    name: str
    context: BuildContext
    suite: str | None
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    weights: tuple[Weights, ...] = ()

    def with_arguments(self, chosen: Mapping[str, str]) -> Recipe:
        """Choose other values for build arguments that the card has.

        Raises
        ------
        ConfigurationError
            If the card has no such argument.
        """
        for name in chosen:
            if name not in self.arguments:
                known = ", ".join(self.arguments) or "none"
                hint = nearest(name, self.arguments)
                raise ConfigurationError(
                    f"{self.package} has no build argument {name!r}{hint}; it has: {known}"
                )
        arguments = {**self.arguments, **chosen}
        context = replace(self.context, extra={**self.context.extra, "arguments": arguments})
        labels = {**self.labels, ARGUMENTS_LABEL: json.dumps(dict(chosen), sort_keys=True)}
        return replace(self, arguments=arguments, context=context, labels=labels)

    def digest(self) -> str:
        """Hash all that decides what the image is; a checkout and a wheel give the same."""
        return self.context.digest()


def recipe_of(card: Card, image: str = DEFAULT_IMAGE, *, namespace: str) -> Recipe:
    """Tell how an image of a package is made."""
    about = card.images[image]
    dockerfile = BuildContext(root=card.folder, dockerfile=about.dockerfile).text()
    suite = about.base if _USES_BASE.search(dockerfile) else None
    extra = {
        "images": {n: [i.dockerfile, i.base] for n, i in card.images.items()},
        "arguments": dict(card.build_arguments),
        "base": base_digest(suite) if suite else "",
    }
    suffix = f"-{image}" if image else ""
    weights = tuple(one for one in card.weights if one.image == image)
    return Recipe(
        package=card.package,
        name=f"{namespace}/{card.package}{suffix}:{card.version}",
        context=BuildContext(
            root=card.folder,
            dockerfile=about.dockerfile,
            extra=extra,
            weights={one.path: one.sha256 for one in weights},
        ),
        suite=suite,
        arguments=card.build_arguments,
        labels={
            "org.opencontainers.image.title": card.title,
            "org.opencontainers.image.description": card.summary,
            "org.opencontainers.image.version": card.version,
            "org.opencontainers.image.licenses": card.licenses,
            "org.opencontainers.image.url": card.paper.url,
            PACKAGE_LABEL: card.package,
            CONTRACT_LABEL: _contract_version(),
        },
        weights=weights,
    )


def build(
    engine: Engine,
    recipe: Recipe,
    report: Callable[[str], None] | None = None,
    *,
    cache: bool = True,
) -> Image:
    """Build an image, and its base if that is missing; fetch the weights that go into it.

    Without `cache` all its steps are made anew.

    What another process builds meanwhile is waited for, and taken.

    Raises
    ------
    WeightsUnavailable
        If one cannot be fetched.
    BuildError
        If the build fails.
    """
    fetched = {one.path: fetch(one, report) for one in recipe.weights}
    arguments = dict(recipe.arguments)
    labels = {**recipe.labels, CONTEXT_LABEL: recipe.digest()}
    if recipe.suite is not None:
        arguments["BASE"] = ensure_base(engine, recipe.suite, report)
        base = images.find(engine, arguments["BASE"])
        if base is not None and CERTIFICATES_LABEL in base.labels:
            labels[CERTIFICATES_LABEL] = base.labels[CERTIFICATES_LABEL]
    before = images.find(engine, recipe.name)
    with one_at_a_time(recipe.name, report):
        found = images.find(engine, recipe.name)
        new = found is not None and (before is None or before.id != found.id)
        if found is not None and new and labels.items() <= found.labels.items():
            return found
        return images.build(
            engine,
            replace(recipe.context, fetched=fetched),
            recipe.name,
            arguments=arguments,
            labels=labels,
            on_line=report,
            cache=cache,
        )


def check(engine: Engine, recipe: Recipe) -> Image:
    """Find the image that a recipe would make.

    Raises
    ------
    ImageNotFound, ImageOutdated
        If it is not there, or was made from something else; the remedy is `repro setup`.
    """
    remedy = f"`repro setup {recipe.package}` builds it"
    found = images.find(engine, recipe.name)
    if found is None:
        raise ImageNotFound(recipe.name, remedy)
    if not matches(recipe, found):
        built_from = found.labels.get(CONTEXT_LABEL, "")
        raise ImageOutdated(recipe.name, built_from, recipe.digest(), remedy)
    return found


def matches(recipe: Recipe, image: Image) -> bool:
    """Whether an image is what the recipe makes, with the build arguments that it was made with."""
    try:
        chosen = json.loads(image.labels.get(ARGUMENTS_LABEL, "{}"))
        expected = (recipe.with_arguments(chosen) if chosen else recipe).digest()
    except (ValueError, ConfigurationError):  # arguments that the card no longer has
        return False
    return image.labels.get(CONTEXT_LABEL) == expected


def _contract_version() -> str:
    """Read the contract's version out of the runtime.

    It cannot be imported: it belongs to another Python.
    """
    found = re.search(
        r'^VERSION = "(\w+)"', runtime_file().read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise AssertionError
    return found[1]
