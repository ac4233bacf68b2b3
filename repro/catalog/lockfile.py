"""A package's `image.lock`: what its images are made of, exactly, and where they were published."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repro.catalog.table import Table
from repro.common.io import whole_file
from repro.errors import CardError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT = 1
NAME = "image.lock"

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
    name = f"{folder.name}/{NAME}"
    remedy = f"`repro lock {folder.name}` writes it anew"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CardError(name, "the file", error.strerror or str(error)) from error
    except ValueError as error:
        raise CardError(name, "the file", f"is not TOML: {error}", remedy) from error
    table = Table(name, "", values)
    if (written := table.need("lock", int)) != FORMAT:
        raise table.error("lock", f"is of format {written}, this repro reads {FORMAT}", remedy)
    lock = Lock(
        package=table.need("package", str),
        version=table.need("version", str),
        platform=table.need("platform", str),
        images=tuple(_read_image(image) for image in table.array("images")),
    )
    table.done()
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


def _read_image(table: Table) -> LockedImage:
    image = LockedImage(
        name=table.need("name", str),
        context=table.need("context", str),
        base=_strings(table, "base"),
        debian=_strings(table, "debian"),
        python=tuple(_read_wheel(wheel) for wheel in table.array("python")),
        files=_strings(table, "files"),
        published=_strings(table, "published"),
    )
    table.done()
    return image


def _read_wheel(table: Table) -> Wheel:
    wheel = Wheel(
        name=table.need("name", str),
        version=table.need("version", str),
        sha256=table.strings("sha256"),
        record=table.get("record", str, ""),
    )
    table.done()
    return wheel


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
