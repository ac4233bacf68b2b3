"""Checks of a package's images."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from repro.engine import image as images
from repro.engine import layers
from repro.engine.base import ensure_base
from repro.engine.client import connect
from repro.engine.recipe import build as build_recipe
from repro.errors import ReproError
from repro.operations.checking.findings import Checks, Finding, Skip, error, passed, skipped
from repro.operations.setup import set_up_each

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.layers import Entry
    from repro.engine.recipe import Recipe
    from repro.operations.checking.subject import Subject

CHECKS = Checks("build", "build")

LARGEST_ID = 65535  # that a rootless engine can map
WORLD_READS = ("/app", "/opt")  # programs; weights and data
LISTED = 3  # files that a finding names


@CHECKS("fresh")
def fresh(subject: Subject) -> Iterator[Finding]:
    """Build each image from nothing: all its steps anew, without an earlier build's layers."""
    if not subject.build:
        raise Skip("the images that are there are taken", "`--build` builds them from nothing")
    for name, recipe in subject.recipes.items():
        started = time.monotonic()
        try:
            built = build_recipe(connect(), recipe, subject.report, cache=False)
        except ReproError as problem:
            subject.missing[name] = f"{recipe.name} cannot be built"
            yield error(str(problem))
        else:
            seconds = time.monotonic() - started
            yield passed(f"{recipe.name}: {_size(recipe, built.size)}, {seconds:.0f} s")


@CHECKS("cached")
def cached(subject: Subject) -> Iterator[Finding]:
    """Build each image again: every step comes from the cache, and the image is the same."""
    if not subject.build:
        raise Skip("nothing was built from nothing")
    for name, recipe in subject.recipes.items():
        if name in subject.missing:
            yield skipped(subject.missing[name])
            continue
        started, before = time.monotonic(), images.find(connect(), recipe.name)
        after = build_recipe(connect(), recipe, subject.report)
        if before is not None and before.id != after.id and before.labels == after.labels:
            # Of two stages that begin alike the builder finds one alone, whose steps it makes anew.
            before, after = after, build_recipe(connect(), recipe, subject.report)
        if before is None or before.id != after.id:
            yield error(
                f"{recipe.name}: a second build made another image",
                "no step may depend on the time, or on files that change",
            )
        else:
            yield passed(f"{recipe.name}: {time.monotonic() - started:.1f} s")


@CHECKS("image")
def image(subject: Subject) -> Iterator[Finding]:
    """Have each image, as `repro setup` does: the one that is there, if it is of these files."""
    for name, result in set_up_each(subject.card, report=subject.report):
        if result.action == "failed":
            subject.missing[name] = f"{result.image} cannot be built"
            yield error(result.error)
        else:
            size = _size(subject.recipes[name], result.size)
            took = "" if result.action == "present" else f" in {result.seconds:.0f} s"
            yield passed(f"{result.image}: {size}, {result.action}{took}")


@CHECKS("owners")
def owners(subject: Subject) -> Iterator[Finding]:
    """Look whether no file in a layer has an owner that a rootless engine cannot map."""
    for recipe, entries in _files(subject):
        high = [entry for entry in entries if max(entry.uid, entry.gid) > LARGEST_ID]
        if high:
            numbers = {max(entry.uid, entry.gid) for entry in high}
            yield error(
                f"{recipe.name}: {_listed(high)} of user or group {max(numbers)}",
                "unpack with `--no-same-owner`, or `chown` in the same RUN",
            )


@CHECKS("home")
def home(subject: Subject) -> Iterator[Finding]:
    """Look whether nothing lies under /root, which nobody but root can read."""
    for recipe, entries in _files(subject):
        here = [entry for entry in entries if entry.path.startswith("/root/")]
        if here:
            yield error(f"{recipe.name}: {_listed(here)}", "put it under /opt, or remove it")


@CHECKS("readable")
def readable(subject: Subject) -> Iterator[Finding]:
    """Look whether whoever runs a container can read its programs, weights and data."""
    for recipe, entries in _files(subject):
        closed = [entry for entry in entries if _closed(entry)]
        if closed:
            yield error(f"{recipe.name}: {_listed(closed)}", "`chmod -R u=rwX,go=rX` in that RUN")


def _closed(entry: Entry) -> bool:
    needed = 0o005 if entry.folder else 0o004
    inside = any(entry.path == top or entry.path.startswith(f"{top}/") for top in WORLD_READS)
    return inside and not entry.link and entry.mode & needed != needed


def _doubtful(entry: Entry) -> bool:
    """Whether any of the checks has something against an entry of a layer."""
    high = max(entry.uid, entry.gid) > LARGEST_ID
    return high or entry.path.startswith("/root/") or _closed(entry)


def _files(subject: Subject) -> Iterator[tuple[Recipe, list[Entry]]]:
    """Yield what is doubtful in the layers that each image has above its base."""
    engine = connect()
    for name, recipe in subject.recipes.items():
        if name in subject.missing:
            raise Skip(subject.missing[name])
        if name not in subject.files:
            base = layers.count(engine, ensure_base(engine, recipe.suite)) if recipe.suite else 0
            subject.report(f"{recipe.name}: looking at its layers")
            subject.files[name] = layers.entries(engine, recipe.name, _doubtful, skip=base)
        yield recipe, subject.files[name]


def _listed(entries: list[Entry]) -> str:
    paths = list(Counter(entry.path for entry in entries))
    more = f" and {len(paths) - LISTED:,} more" if len(paths) > LISTED else ""
    return ", ".join(paths[:LISTED]) + more


def _size(recipe: Recipe, size: int) -> str:
    """Write a size in bytes, and how much of it is not the base's."""
    total = f"{size / 1e6:,.0f} MB"
    if recipe.suite is None:
        return total
    base = images.find(connect(), ensure_base(connect(), recipe.suite))
    return f"{total}, {(size - base.size) / 1e6:,.0f} MB above the base" if base else total
