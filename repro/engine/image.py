"""Images: are they there, what are they, build them, pull them."""

from __future__ import annotations

import re
import shlex
import tempfile
import time
from collections import deque
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from repro.common.text import printable
from repro.engine import podman
from repro.engine.client import answers, translated
from repro.engine.context import CONTEXT_LABEL
from repro.errors import BuildError, EngineError, EngineUnavailable, ImageNotFound, ReproError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from repro.engine.client import Engine
    from repro.engine.context import BuildContext

UNFINISHED = "repro-unfinished/"  # tags of the layers of failed builds
NOT_PULLED = "cannot be pulled"
ANSWER_TIMEOUT = 8  # seconds that a registry has to say whether it has an image
SETTLE = 2  # seconds without a new layer after which a build that was interrupted has ended
KEPT_LINES = 30

# Of docker's classic builder, and of podman's.
_STEP = re.compile(r"(?:Step|STEP) (\d+/\d+) ?: (.*)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # the classic builder's mark of standard error
_BOOKKEEPING = re.compile(  # of the classic builder: it says nothing about what went wrong
    r" ---> (Running in [0-9a-f]{12,}|Using cache)$|Removing intermediate container [0-9a-f]{12,}$"
)
_LAYER = re.compile(r"(?: --->|-->(?: Using cache)?) ([0-9a-f]{11,})$")
_STATUS = re.compile(r"while running runtime: exit status (\d+)$")  # podman's
_DUMP = re.compile(r" &imagebuilder\.Step\{.*", re.DOTALL)
_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,})$")
_FROM = re.compile(
    r"^\s*FROM\s+((?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE | re.MULTILINE
)
_ARG = re.compile(r"^\s*ARG\s+(\w.*=.*)$", re.IGNORECASE | re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that the engine has."""

    id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    size: int = 0  # bytes, layers shared with others included


def find(engine: Engine, name: str) -> Image | None:
    """Tell what an image is; None if the engine does not have it."""
    from docker.errors import NotFound

    with translated(engine.address):
        try:
            found = engine.api.inspect_image(name)
        except NotFound:
            return None
    labels = (found.get("Config") or {}).get("Labels") or {}
    return Image(id=found["Id"], labels=labels, size=int(found.get("Size", 0)))


def bytes_added(engine: Engine, name: str, base: str) -> int | None:
    """Tell how much larger an image is than its base; None if it is not made of that."""
    from docker.errors import NotFound

    with translated(engine.address):
        try:
            whole, part = engine.api.inspect_image(name), engine.api.inspect_image(base)
        except NotFound:
            return None
    layers, shared = ((one.get("RootFS") or {}).get("Layers") or [] for one in (whole, part))
    if not shared or layers[: len(shared)] != shared:
        return None
    return int(whole["Size"]) - int(part["Size"])


def names(engine: Engine) -> list[str]:
    """List the names of all images."""
    with translated(engine.address):
        return [familiar(name) for one in engine.api.images() for name in one["RepoTags"] or ()]


def familiar(name: str) -> str:
    """Leave out what an engine writes before the name of an image that names no registry."""
    return re.sub(r"^(localhost/|docker\.io/(library/)?)", "", name)


def labelled(engine: Engine, labels: Iterable[str]) -> list[tuple[str, Image]]:
    """List (name, image) of the images that have one of some labels."""
    found = []
    with translated(engine.address):
        listed = [one for label in labels for one in engine.api.images(filters={"label": label})]
    for one in listed:
        image = Image(id=one["Id"], labels=one["Labels"] or {}, size=int(one["Size"]))
        found += [(familiar(name), image) for name in one["RepoTags"] or ()]
    return found


def tag(engine: Engine, image: str, name: str) -> None:
    """Give an image one more name."""
    repository, _, version = name.rpartition(":")
    with translated(engine.address):
        engine.api.tag(image, repository, version, force=True)


def retag(engine: Engine, image: Image, name: str) -> None:
    """Give a name to an image; the one that had it goes if it was its last one."""
    before = find(engine, name)
    tag(engine, image.id, name)
    if before is not None and before.id != image.id:
        _remove_untagged(engine, before.id)


def forget(engine: Engine, name: str) -> None:
    """Drop the name by which an image was pulled, and the image if it has no other one.

    It would keep the layers after all other names were removed.
    """
    with suppress(EngineError):
        if not engine.podman:  # which has no such names
            remove(engine, name)


def remove(engine: Engine, name: str, *, force: bool = False) -> None:
    """Remove a name, and the image if it was its last one."""
    from docker.errors import NotFound

    with translated(engine.address), suppress(NotFound):
        engine.api.remove_image(name, force=force)


def registry_has(engine: Engine, name: str) -> bool:
    """Ask the image's registry whether it has it; no answer soon counts as no."""
    return not _refusal(engine, name)


def _refusal(engine: Engine, name: str) -> str:
    """Say why an image cannot be had from its registry; empty if it can."""
    unknown = "its registry does not have it, or does not answer from here"
    try:
        with translated(engine.address), closing(engine.patient(ANSWER_TIMEOUT)) as api:
            if engine.podman:
                return "" if podman.registry_has(api, name, ANSWER_TIMEOUT) else unknown
            api.inspect_distribution(name)
    except EngineUnavailable:
        with translated(engine.address):
            engine.api.ping()  # or is it the engine itself that does not answer?
        return unknown
    except EngineError as error:
        return f"{unknown} ({printable(str(error))})" if "@" in name else unknown
    return ""


def pull(
    engine: Engine,
    name: str,
    on_line: Callable[[str], None] | None = None,
    *,
    platform: str | None = None,
) -> Image:
    """Pull an image.

    Raises
    ------
    ImageNotFound
        If no registry that answers has it.
    """
    if why_not := _refusal(engine, name):
        raise ImageNotFound(name, why_not, NOT_PULLED)
    repository, version = _split(name)
    with translated(engine.address):
        records = engine.api.pull(
            repository, tag=version, stream=True, decode=True, platform=platform
        )
    for record in answers(engine.address, records):
        if "error" in record:
            raise ImageNotFound(name, printable(str(record["error"])), NOT_PULLED)
        if on_line is not None and "progress" not in record:
            on_line(printable(str(record.get("status", ""))))
    found = find(engine, name)
    if found is None:
        raise ImageNotFound(name, "the engine pulled it, and does not have it")
    return found


def load_root(engine: Engine, tar: IO[bytes], name: str) -> Image:
    """Make an image of a root file system that comes as a tar stream."""
    with translated(engine.address):  # a tag of its own is lost on podman
        engine.api.import_image(src=tar, repository=name)
    found = find(engine, name)
    if found is None:
        raise EngineError(f"the engine did not keep the root file system as {name}")
    return found


def build(  # noqa: PLR0913  one parameter an option; they are keywords
    engine: Engine,
    context: BuildContext,
    name: str,
    *,
    arguments: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    cache: bool = True,
) -> Image:
    """Build an image.

    Parameters
    ----------
    engine : Engine
        Who builds it.
    context : BuildContext
        From what.
    name : str
        The tag it gets.
    arguments, labels : mapping of str to str, optional
        Build arguments and labels.
    on_line : callable, optional
        Gets every line that the build prints.
    cache : bool
        Take the layers that the engine has of an earlier build.

    Raises
    ------
    ImageNotFound
        If a parent image cannot be had.
    BuildError
        With the failing step and its last lines. No container is left; the layers before the step
        stay, under a tag of their own, so that the next try starts there.
    """
    arguments = dict(arguments or {})
    labels = dict(labels or {})
    first = _fetch_parents(engine, context.text(), arguments, on_line)
    before = find(engine, name)
    with tempfile.TemporaryFile() as tar:
        written = context.write_tar(tar, labels)
        if labels.get(CONTEXT_LABEL, written) != written:
            problem = f"the files in {context.root} changed while they were read; try again"
            raise BuildError(name, "", problem)
        tar.seek(0)
        progress = _Progress(engine, name, on_line, first)
        try:
            with translated(engine.address):
                records = engine.api.build(
                    fileobj=tar,
                    custom_context=True,
                    dockerfile=context.dockerfile,
                    tag=name,
                    buildargs=arguments,
                    nocache=not cache,
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
            with closing(records):  # the engine ends a build that nobody listens to
                progress.follow(answers(engine.address, records))
        except EngineError as error:
            if type(error) is not EngineError:
                raise
            # Refused before the first step: a Dockerfile that is none, say.
            raise BuildError(name, progress.step, str(error), progress.lines) from error
        finally:
            if progress.built is None:  # also when interrupted
                with suppress(EngineError):
                    progress.keep_layers()
    return _finish(engine, name, before, progress.built)


def unfinished(name: str) -> str:
    """Name the tag under which the layers of a failed build are kept."""
    return f"{UNFINISHED}{re.sub('[^a-z0-9_.-]+', '-', name.lower())}:latest"


def _problem(record: Mapping[str, Any]) -> str:
    """Say why a build failed; of a step that ended badly the engine repeats the whole command."""
    code = record.get("errorDetail", {}).get("code")
    message = str(record["error"]).strip()
    if code is None and (found := _STATUS.search(message)):
        code = found[1]
    return f"it ended with status {code}" if code else _DUMP.sub("", message)


class _Progress:
    """What a build has told so far."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        on_line: Callable[[str], None] | None,
        first: Image | None,
    ) -> None:
        self.engine, self.name, self.on_line = engine, name, on_line
        self.step = ""
        self.ended = False
        self.layer = _short(first.id) if first is not None else ""
        self.built: str | None = None
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)

    def follow(self, records: Iterable[dict[str, Any]]) -> None:
        """Read all that the engine tells; the build has ended if it comes to an end."""
        text = ""
        for record in records:
            if "error" in record:
                self._add(text)
                self.ended = True
                raise BuildError(self.name, self.step, _problem(record), self.lines)
            *whole, text = (text + str(record.get("stream", ""))).split("\n")
            for line in whole:
                self._add(line)
        self.ended = True

    def _add(self, line: str) -> None:
        line = printable(_COLOUR.sub("", line).rstrip("\r").rsplit("\r", 1)[-1].rstrip())
        if not line:
            return
        if self.on_line is not None:
            self.on_line(line)
        if found := _STEP.match(line):
            self.step = f"step {found[1]}: {found[2]}"
            self.lines.clear()
        elif found := _LAYER.match(line):
            self.layer = _short(found[1])
        elif found := _BUILT.match(line):
            self.built = found[1]
        elif not _BOOKKEEPING.match(line):
            self.lines.append(line)

    def keep_layers(self) -> None:
        """Name the last good layer, so that it is no dangling image and the next build finds it."""
        if not self.ended:
            self._await_end()
        found = find(self.engine, self.layer) if self.layer else None
        if self.layer and found is not None and not _tagged(self.engine, self.layer):
            previous = find(self.engine, unfinished(self.name))
            tag(self.engine, self.layer, unfinished(self.name))
            if previous is not None and previous.id != found.id:
                _remove_untagged(self.engine, previous.id)

    def _await_end(self) -> None:
        """Wait for the layer that the engine is at, which it finishes although nobody listens."""
        deadline = time.monotonic() + SETTLE
        while time.monotonic() < deadline:
            with translated(self.engine.address):
                dangling = self.engine.api.images(filters={"dangling": True})
            above = {_short(one["ParentId"]): _short(one["Id"]) for one in dangling}
            if self.layer in above:
                self.layer = above[self.layer]
                deadline = time.monotonic() + SETTLE
            else:
                time.sleep(0.1)


def _finish(engine: Engine, name: str, before: Image | None, told: str | None) -> Image:
    """Look at what was built; drop what it replaced.

    An answer that breaks off looks like one at its end: an image of that name may be the old one.
    """
    built = find(engine, name)
    made = find(engine, told) if told is not None else None
    if built is None or made is None or built.id != made.id:
        raise BuildError(name, "", "the engine reported no error, and made no image")
    remove(engine, unfinished(name))
    if before is not None and before.id != built.id:
        _remove_untagged(engine, before.id)
    return built


def _short(identity: str) -> str:
    """Write an image's id as a build tells it."""
    return identity.removeprefix("sha256:")[:11]


def _tagged(engine: Engine, image: str) -> bool:
    with translated(engine.address):
        return bool(engine.api.inspect_image(image).get("RepoTags"))


def _remove_untagged(engine: Engine, image: str) -> None:
    """Remove an image that has lost its name, unless something still uses it."""
    with suppress(ReproError):
        if find(engine, image) is not None and not _tagged(engine, image):
            remove(engine, image)


def _fetch_parents(
    engine: Engine,
    dockerfile: str,
    arguments: Mapping[str, str],
    on_line: Callable[[str], None] | None,
) -> Image | None:
    """Have every parent image, or say which one cannot be had; return the first.

    The engine itself would retry for minutes.
    """
    found = []
    for name, platform in parents(dockerfile, arguments):
        image = find(engine, name)
        if image is None:
            try:
                image = pull(engine, name, on_line, platform=platform)
            except EngineUnavailable:
                raise
            except EngineError as error:
                remedy = f"it is the parent that a Dockerfile names ({error})"
                raise ImageNotFound(name, remedy, NOT_PULLED) from error
        found.append(image)
    return next(iter(found), None)


def parents(dockerfile: str, arguments: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """List the parent images that a Dockerfile names, and the platform where one is asked for."""
    stages = {"scratch"}
    found = []
    values: dict[str, str] = {}
    for line in _ARG.findall(re.split(r"(?im)^\s*FROM\s", dockerfile, maxsplit=1)[0]):
        for name, equals, default in (word.partition("=") for word in shlex.split(line)):
            if equals:
                values[name] = arguments.get(name, _substitute(default, values))
    values = {**arguments, **values}
    for flags, parent, stage in _FROM.findall(dockerfile):
        name = _substitute(parent.strip("\"'"), values)
        platform = re.search(r"--platform=([^\s$]+)\s", _substitute(flags, values))
        if name.lower() not in stages:
            found.append((name, platform[1] if platform else None))
        stages.add(stage.lower())
    return found


def _substitute(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return values.get(match[1] or match[2]) or (match[0] if match[3] is None else match[3])

    return _VARIABLE.sub(value, text)


def _split(name: str) -> tuple[str, str]:
    if "@" in name:  # a digest decides alone
        repository, _, digest = name.partition("@")
        return _split(repository)[0], digest
    repository, colon, version = name.rpartition(":")
    if not colon or "/" in version:
        return name, "latest"
    return repository, version
