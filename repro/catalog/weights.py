"""Weights that live elsewhere: what file, where it can be had, and how it is known to be right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from repro.catalog.table import Table

_SOURCES = (
    re.compile(r"https://[^/\s]+/\S+"),
    re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?/\S+"),
    re.compile(r"gdrive://[\w-]+"),
    re.compile(r"hf://[\w.-]+/[\w.-]+/[^@\s]+@[0-9a-f]{40}"),
)
_FORMS = "https://…, gdrive://FILE_ID or hf://OWNER/NAME/FILE@COMMIT, the commit in full"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A file that the host fetches into the build context of an image.

    Parameters
    ----------
    path : str
        Where it stands in the context.
    url : str
        Where it is fetched: ``https://…``, ``gdrive://FILE_ID`` or
        ``hf://OWNER/NAME/FILE@COMMIT``.
    sha256 : str
        What it is, whoever delivers it.
    bytes : int
        How long it is.
    mirrors : tuple of str
        Where else it can be had, tried in this order.
    license : str
        Its licence, where it is another one than the card's.
    image : str
        The image it belongs to, by its name in the card.
    """

    path: str
    url: str
    sha256: str
    bytes: int
    mirrors: tuple[str, ...] = ()
    license: str = ""
    image: str = ""


def read_weights(table: Table, images: Container[str]) -> Iterator[Weights]:
    """Read the ``[[weights]]`` of a card."""
    taken: set[tuple[str, str]] = set()
    for one in table.array("weights"):
        weights = _read(one)
        if weights.image not in images:
            remedy = "add it, or leave this out"
            raise one.error("image", f"there is no [images.{weights.image}]", remedy)
        if (weights.image, weights.path) in taken:
            raise one.error("path", f"{weights.path!r} is another one's, too")
        taken.add((weights.image, weights.path))
        yield weights


def _read(table: Table) -> Weights:
    weights = Weights(
        path=_read_path(table),
        url=table.need("url", str),
        sha256=_read_sha256(table),
        bytes=table.need("bytes", int),
        mirrors=table.strings("mirrors"),
        license=table.get("license", str, ""),
        image=table.get("image", str, ""),
    )
    if weights.bytes < 1:
        raise table.error("bytes", f"{weights.bytes} is less than 1")
    for key, source in (("url", weights.url), *(("mirrors", one) for one in weights.mirrors)):
        if not any(form.fullmatch(source) for form in _SOURCES):
            raise table.error(key, f"{source!r} is no place to fetch from", f"write {_FORMS}")
    table.done()
    return weights


def _read_path(table: Table) -> str:
    path = table.need("path", str)
    pure = PurePosixPath(path)
    if str(pure) != path or pure.is_absolute() or {"..", "."} & {path, *pure.parts}:
        remedy = "such as weights/model.bin: relative to the package's folder, and within it"
        raise table.error("path", f"{path!r} is no place in a build context", remedy)
    return path


def _read_sha256(table: Table) -> str:
    sha256 = table.need("sha256", str)
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise table.error("sha256", f"{sha256!r} is not 64 hexadecimal digits, in small letters")
    return sha256
