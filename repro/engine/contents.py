"""What is in an image: its Debian packages, its distributions of Python, its parents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from repro.catalog.lockfile import LockedImage, Wheel
from repro.common.text import printable
from repro.engine import image as images
from repro.engine.base import base_digest
from repro.engine.client import translated
from repro.engine.container import run
from repro.engine.spec import ContainerSpec
from repro.errors import ContainerError, EngineError, ImageNotFound, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repro.engine.client import Engine
    from repro.engine.recipe import Recipe

LARGEST = 2**24  # bytes that an image may say of its packages

# Runs in any image that has a shell, with a Python of any age or none.
_LIST = r"""
if command -v dpkg-query >/dev/null 2>&1; then
    dpkg-query -W -f='debian ${db:Status-Abbrev} ${Package} ${Version}\n'
fi
if command -v find >/dev/null 2>&1; then
    find / -xdev \( -name '*.dist-info' -o -name '*.egg-info' \) -print 2>/dev/null |
    while IFS= read -r found; do
        sum=none
        if [ -f "$found/RECORD" ]; then sum=$(sha256sum <"$found/RECORD" || echo none); fi
        printf 'python %s %s\n' "${sum%% *}" "$found"
    done
fi
"""
_DEBIAN = re.compile(r"debian ii\s+(\S+) (\S+)")
_PYTHON = re.compile(r"python (none|[0-9a-f]{64}) (.*)/([^/-]+)-([^/-]+)(?:-[^/]*)?\.\w+-info")
_DEBIANS_OWN = re.compile(r"/usr/lib/(?:python[\d.]*|pypy[\d.]*)(?:/|$)")

_REQUIREMENTS = re.compile(r"(?:^|/)requirements[^/]*\.txt$")
_NAMED = re.compile(r"requirements[^\s/;\"']*\.txt")  # in a Dockerfile
_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})")

# Of a requirements file: `name==version` and its options, over lines that end in a backslash.
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)(.*)$", re.ASCII)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What was found in an image."""

    platform: str
    debian: Mapping[str, str]
    python: tuple[Wheel, ...]


def look_into(engine: Engine, recipe: Recipe) -> tuple[str, LockedImage]:
    """Tell the platform of a recipe's image, and all that its lock has of it.

    Raises
    ------
    ImageNotFound
        If it is not there.
    """
    contents = _contents(engine, recipe.name)
    required = list(requirements(recipe))
    known = {(wheel.name, wheel.version) for wheel in required}
    others = [one for one in contents.python if (one.name, one.version) not in known]
    return contents.platform, LockedImage(
        name=short_name(recipe),
        context=recipe.digest(),
        base=_base(engine, recipe),
        debian=contents.debian,
        python=tuple(sorted({*required, *others})),
        files=dict(recipe.context.weights),
    )


def short_name(recipe: Recipe) -> str:
    """Name an image by its package, and its own name where the package has several."""
    return recipe.name.rpartition("/")[2].partition(":")[0]


def requirements(recipe: Recipe) -> Iterator[Wheel]:
    """Yield what the requirements files of a build context pin, with the hashes they allow.

    Those that the Dockerfile names, a pattern or a variable included, or all if it names none.
    """
    listed = [path for name, path, _ in recipe.context.files() if _REQUIREMENTS.search(name)]
    patterns = [re.sub(_VARIABLE, "*", one) for one in _NAMED.findall(recipe.context.text())]
    named = [path for path in listed if any(fnmatch(path.name, one) for one in patterns)]
    for path in named or listed:
        text = re.sub(r"\\\r?\n", " ", path.read_text(encoding="utf-8", errors="replace"))
        for line in text.splitlines():
            if found := _REQUIREMENT.match(line.strip()):
                yield Wheel(
                    name=_normal(found[1]),
                    version=found[2],
                    sha256=tuple(sorted(_HASH.findall(found[3]))),
                )


def _contents(engine: Engine, image: str) -> Contents:
    with translated(engine.address):
        about = engine.api.inspect_image(image) if images.find(engine, image) else None
    if about is None:
        raise ImageNotFound(image, "`repro setup` builds it")
    debian, python = {}, set()
    for line in _listed(engine, image).splitlines():
        if package := _DEBIAN.fullmatch(line):
            debian[package[1]] = package[2]
        elif found := _PYTHON.fullmatch(line):
            if _DEBIANS_OWN.match(found[2]):
                continue  # it belongs to a Debian package, whose version is told
            record = "" if found[1] == "none" else found[1]
            python.add(Wheel(name=_normal(found[3]), version=found[4], record=record))
    platform = f"{about['Os']}/{about['Architecture']}"
    return Contents(platform=platform, debian=debian, python=tuple(sorted(python)))


def _listed(engine: Engine, image: str) -> str:
    """Let the image list what it has; one without a shell has no packages to list."""
    printed = bytearray()

    def keep(stream: int, piece: bytes) -> None:
        if stream == 1:
            printed.extend(piece)
        if len(printed) > LARGEST:
            problem = f"its list of packages is longer than {LARGEST:,} bytes"
            raise OutputError(image, problem)

    spec = ContainerSpec(
        image=image,
        command=("/bin/sh", "-c", _LIST),
        name="a list of packages",
        environment={"LC_ALL": "C"},
        quiet=True,
        timeout=600,
    )
    try:
        run(engine, spec, on_output=keep)
    except ContainerError as error:
        if error.status not in {126, 127}:
            raise
        return ""
    except EngineError as error:
        if "no such file or directory" not in str(error):
            raise
        return ""
    return printable(printed.decode(errors="replace"))


def _base(engine: Engine, recipe: Recipe) -> dict[str, str]:
    """Tell the hash of our base, or the digest of every foreign parent."""
    if recipe.suite is not None:
        return {recipe.suite: base_digest(recipe.suite)}
    found = {}
    for parent, _ in images.parents(recipe.context.text(), recipe.arguments):
        with translated(engine.address):
            about = engine.api.inspect_image(parent) if images.find(engine, parent) else {}
        digests = [one.partition("@")[2] for one in about.get("RepoDigests") or ()]
        found[parent] = next(iter(digests), str(about.get("Id", "not there")))
    return found


def _normal(name: str) -> str:
    """Write a distribution's name as Python's package indexes do."""
    return re.sub(r"[-_.]+", "-", name).lower()
