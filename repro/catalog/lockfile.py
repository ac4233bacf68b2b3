"""A package's `image.lock`: what its images are made of, exactly, and where they were published."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repro.catalog.repository import DIGEST, repository
from repro.catalog.table import read_table
from repro.common.io import whole_file
from repro.errors import CardError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from repro.catalog.table import Table

FORMAT = 1
NAME = "image.lock"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, order=True)
class Wheel:
    """A distribution of Python.

    `sha256` are the hashes that a requirements file allows; `record` is that of its list of files,
    where no requirements file names it.
    """

    name: str
    version: str
    sha256: tuple[str, ...] = ()
    record: str = ""


@dataclass(frozen=True, kw_only=True)
class LockedImage:
    """What one image is made of.

    Parameters
    ----------
    name : str
        The package's, and the image's own where the package has several.
    context : str
        The digest of all that it is built from.
    base : mapping of str to str
        The hash of our base by its suite, or the digest of every parent by its name.
    debian : mapping of str to str
        The version of every Debian package in it.
    python : tuple of Wheel
        Every distribution of Python that is none of Debian's.
    files : mapping of str to str
        The SHA-256 of every file that was fetched into its context.
    published : mapping of str to str
        Its digest in every repository that has it.
    """

    name: str
    context: str
    base: Mapping[str, str] = field(default_factory=dict)
    debian: Mapping[str, str] = field(default_factory=dict)
    python: tuple[Wheel, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The lock of a package; its images have one entry each."""

    package: str
    version: str
    platform: str
    images: tuple[LockedImage, ...]

    def image(self, name: str) -> LockedImage | None:
        """Find an image by its name."""
        return next((image for image in self.images if image.name == name), None)


def read_lock(folder: Path) -> Lock | None:
    """Read a package's lock; None if it has none.

    Raises
    ------
    CardError
        If it is not right.
    """
    path = folder / NAME
    if not os.path.lexists(path):
        return None
    try:
        table, _ = read_table(path)
        lock = _read(table)
        if lock.package != folder.name:
            raise table.error("package", f"is another one, {lock.package!r}")
    except CardError as error:
        remedy = f"`repro lock {folder.name}` writes it anew"
        raise CardError(error.file, error.key, error.problem, remedy) from error
    return lock


def write_lock(folder: Path, lock: Lock) -> Path:
    """Write a package's lock: TOML, in an order that depends on nothing else."""
    path = folder / NAME
    with whole_file(path) as file:
        file.write("\n".join(_lines(lock)).encode() + b"\n")
    return path


def differences(locked: LockedImage, found: LockedImage) -> list[str]:
    """Say in what an image differs from what was locked, a sentence each."""
    told = list(_changes("the base", locked.base, found.base))
    told += _changes("the file", locked.files, found.files)
    told += _changes("Python's", _by_name(locked.python), _by_name(found.python))
    told += _changes("Debian's", locked.debian, found.debian)
    if locked.context != found.context:
        context = {"context": locked.context}, {"context": found.context}
        told = [*_changes("the build", *context), *told]
    return told


def _changes(kind: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if old is None:
            yield f"{kind} {name}: not locked, now {_brief(new)}"
        elif new is None:
            yield f"{kind} {name}: locked {_brief(old)}, now not there"
        else:
            yield f"{kind} {name}: locked {_brief(old)}, now {_brief(new)}"


def _brief(value: str | None) -> str:
    """Leave the middle out of hashes."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1…", value or "")


def _by_name(wheels: tuple[Wheel, ...]) -> dict[str, str]:
    """Write what is known of each distribution, of several versions of one together."""
    found: dict[str, list[str]] = {}
    for wheel in sorted(wheels):
        hashes = [f"wheel {one}" for one in wheel.sha256]
        hashes += [f"files {wheel.record}"] * bool(wheel.record)
        told = f"{wheel.version} ({', '.join(hashes)})" if hashes else wheel.version
        found.setdefault(wheel.name, []).append(told)
    return {name: " and ".join(told) for name, told in found.items()}


def _read(table: Table) -> Lock:
    if (written := table.need("lock", int)) != FORMAT:
        raise table.error("lock", f"is of format {written}, this repro reads {FORMAT}")
    lock = Lock(
        package=table.need("package", str),
        version=table.need("version", str),
        platform=table.need("platform", str),
        images=tuple(_read_images(table)),
    )
    table.done()
    return lock


def _read_images(table: Table) -> Iterator[LockedImage]:
    taken: set[str] = set()
    for one in table.array("images"):
        image = _read_image(one)
        if image.name in taken:
            raise one.error("name", f"{image.name!r} is another one's, too")
        taken.add(image.name)
        yield image


def _read_image(table: Table) -> LockedImage:
    files, published = _strings(table, "files"), _strings(table, "published")
    image = LockedImage(
        name=table.need("name", str),
        context=_sum(table, "context", table.need("context", str)),
        base=_strings(table, "base"),
        debian=_strings(table, "debian"),
        python=tuple(_read_wheel(wheel) for wheel in table.array("python")),
        files={name: _sum(table, f"files.{name}", one) for name, one in files.items()},
        published={place: _digest(table, place, one) for place, one in published.items()},
    )
    table.done()
    return image


def _read_wheel(table: Table) -> Wheel:
    record = table.get("record", str, "")
    wheel = Wheel(
        name=table.need("name", str),
        version=table.need("version", str),
        sha256=tuple(_sum(table, "sha256", one) for one in table.strings("sha256")),
        record=record and _sum(table, "record", record),
    )
    table.done()
    return wheel


def _sum(table: Table, key: str, sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise table.error(key, f"{sha256!r} is not 64 hexadecimal digits, in small letters")
    return sha256


def _digest(table: Table, place: str, digest: str) -> str:
    """Take the digest that an image has somewhere; refuse also a place that is none."""
    key = f"published.{place}"
    try:
        named = str(repository(place))
    except ConfigurationError as error:
        raise table.error(key, str(error)) from error
    if named != place:
        raise table.error(key, f"is written {named!r}")
    if not DIGEST.fullmatch(digest):
        raise table.error(key, f"{digest!r} is not sha256: and 64 hexadecimal digits")
    return digest


def _strings(table: Table, key: str) -> dict[str, str]:
    values = table.rest(key)
    for name, value in values.items():
        if not isinstance(value, str):
            raise table.error(f"{key}.{name}", f"must be a string, not {value!r}")
    return {name: str(value) for name, value in values.items()}


def _lines(lock: Lock) -> Iterator[str]:
    yield "# What the images are made of: written by `repro lock`, explained in docs/publishing.md."
    yield f"lock = {FORMAT}"
    for key in ("package", "version", "platform"):
        yield f"{key} = {_quoted(getattr(lock, key))}"
    for image in sorted(lock.images, key=lambda image: image.name):
        yield "\n[[images]]"
        yield f"name = {_quoted(image.name)}"
        yield f"context = {_quoted(image.context)}"
        for key in ("base", "published", "files", "debian"):
            values: Mapping[str, str] = getattr(image, key)
            if values:
                yield f"\n[images.{key}]"
                yield from (f"{_key(n)} = {_quoted(v)}" for n, v in sorted(values.items()))
        for wheel in sorted(image.python):
            yield "\n[[images.python]]"
            yield f"name = {_quoted(wheel.name)}"
            yield f"version = {_quoted(wheel.version)}"
            if wheel.sha256:
                yield "sha256 = ["
                yield from (f"    {_quoted(one)}," for one in wheel.sha256)
                yield "]"
            if wheel.record:
                yield f"record = {_quoted(wheel.record)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _quoted(name)
