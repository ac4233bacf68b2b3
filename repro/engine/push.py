"""Push an image, and believe that it is there only when the registry has shown it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from repro.common.text import printable
from repro.engine import image as images
from repro.engine.client import answers, translated
from repro.engine.lock import one_at_a_time
from repro.engine.registry import Registry
from repro.errors import ImageNotFound, RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.catalog.repository import Repository
    from repro.engine.client import Engine


def push(
    engine: Engine,
    image: str,
    place: Repository,
    version: str,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Push an image under a version; return the digest that the registry has it by.

    The engine pushes what has the repository's name: the image is lent that name meanwhile. Two
    processes would take it from each other, so one waits for the other.

    Raises
    ------
    RegistryError
        If the registry has this version by now, does not take it, or what it then shows is not what
        was pushed.
    """
    name = f"{place}:{version}"
    with one_at_a_time(name, on_line, "pushes"):
        with closing(Registry(place.host)) as registry:
            if registry.digest(place.path, version) is not None:
                problem, remedy = f"somebody else has just published {name}", "it stays as it is"
                raise RegistryError(place.host, problem, f"{remedy}; publish again to compare")
        with _lent(engine, image, name):
            told = _push(engine, place, version, on_line)
        with closing(Registry(place.host)) as registry:
            return _read_back(registry, place, version, told)


@contextmanager
def _lent(engine: Engine, image: str, name: str) -> Iterator[None]:
    """Let an image have another name, too; what had it gets it back."""
    before, own = images.find(engine, name), images.find(engine, image)
    if own is None:
        raise ImageNotFound(image, "`repro setup` builds it")
    images.tag(engine, own.id, name)
    try:
        yield
    finally:
        if before is not None and before.id != own.id:
            images.tag(engine, before.id, name)
        elif name != image:
            images.remove(engine, name)


def _push(
    engine: Engine, place: Repository, version: str, on_line: Callable[[str], None] | None
) -> str:
    """Let the engine push; return the digest that it tells, if it tells one."""
    digest = ""
    with translated(engine.address):
        records = engine.api.push(str(place), tag=version, stream=True, decode=True)
    for record in answers(engine.address, records):
        if "error" in record:
            raise _refused(place, printable(str(record["error"])).strip())
        digest = (record.get("aux") or {}).get("Digest", digest)
        if on_line is not None and "progress" not in record and record.get("status"):
            part = f"{record['id']}: " if record.get("id") else ""
            on_line(printable(f"{part}{record['status']}"))
    return digest


def _refused(place: Repository, said: str) -> RegistryError:
    if any(word in said.lower() for word in ("unauthorized", "denied", "authentication")):
        login = f"`docker login {place.host}` with a user who may push there"
        return RegistryError(place.host, f"it does not let this login push {place} ({said})", login)
    problem = f"{place} could not be pushed: {said}"
    if "x509" in said:
        remedy = (
            f"put its certificate into /etc/docker/certs.d/{place.host}/ca.crt where Docker runs"
        )
        return RegistryError(place.host, problem, f"Docker has to trust it, too: {remedy}")
    return RegistryError(place.host, problem, "nothing was published; publish again")


def _read_back(registry: Registry, place: Repository, version: str, told: str) -> str:
    """Look at what the registry has now."""
    remedy = "nothing is recorded; do not trust this version, publish a new one"
    manifest = registry.manifest(place.path, version)
    if manifest is None:
        problem = f"it took {place}:{version}, and does not have it"
        raise RegistryError(place.host, problem, "publish again")
    if told and manifest.digest != told:
        problem = f"it has {manifest.digest} as {place}:{version}, where {told} was pushed"
        raise RegistryError(place.host, problem, remedy)
    if missing := registry.lacks(place.path, manifest):
        problem = f"of {place}:{version} it lacks {len(missing)} part(s), such as {missing[0]}"
        raise RegistryError(place.host, problem, remedy)
    return manifest.digest
