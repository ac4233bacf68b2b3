"""Every error that `repro` raises on purpose, in one tree, split by who must act.

ReproError
├── InputError               the caller: a name, an option, an instance                exit 2
│   ├── ConfigurationError   an option or a configuration file
│   ├── UnknownNameError     a package, model, metric … that is not registered
│   ├── CardError            a model card that is not right
│   ├── InstanceError        an instance that does not fit the model's signature
│   └── DataFileError        an input file that cannot be read, an output that cannot be written
├── EngineError              the machine: engine, images, GPUs, disk                   exit 3
│   ├── EngineUnavailable    no engine answers, or it does not let us in
│   ├── ImageNotFound        an image that is not there
│   ├── ImageOutdated        an image built from something else than the package says
│   ├── BuildError           a build that failed
│   ├── WeightsUnavailable   a file of weights that cannot be fetched
│   ├── ImageDrifted         an image that is not what its package's image.lock says
│   ├── RegistryError        a registry that does not answer, refuses, or says what is not so
│   ├── DeviceUnavailable    a GPU that was asked for and is not there
│   └── DiskFull             no space left on the host
└── ModelError               the wrapped model                                         exit 1
    ├── ContainerError       its program ended with a non-zero status
    │   └── OutOfMemory      …because it needed more memory than it was given
    ├── OutputError          its output is not what was asked for
    ├── PredictionError      it raised an exception over an instance
    └── PredictionTimeout    it did not answer in time

An error's ``args`` are its data, so that each of them can be pickled; ``str()`` makes the message
of them: what happened, to which input, and what to do next.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ReproError(Exception):
    """Base of every error of `repro`."""

    exit_code: ClassVar[int] = 70
    http_status: ClassVar[int] = 500


class InputError(ReproError):
    """What the caller gave cannot be used."""

    exit_code = 2
    http_status = 400


class ConfigurationError(InputError):
    """An option or a configuration file is not right."""


class UnknownNameError(InputError):
    """A name is not registered; carries the kind of thing, the name, and the names there are."""

    http_status = 404

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), hint: str = "") -> None:
        self.kind, self.name, self.known, self.hint = kind, name, sorted(known), hint
        super().__init__(kind, name, self.known, hint)

    def __str__(self) -> str:
        near = nearest(self.name, self.known)
        hint = f"; {self.hint}" if self.hint else ""
        return f"there is no {self.kind} called {self.name!r}{near}{hint}"


class CardError(InputError):
    """A model card is not right; carries the file, the key, the problem and the remedy."""

    http_status = 500

    def __init__(self, file: str, key: str, problem: str, remedy: str = "") -> None:
        self.file, self.key, self.problem, self.remedy = file, key, problem, remedy
        super().__init__(file, key, problem, remedy)

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.file}: {self.key}: {self.problem}{remedy}"


class InstanceError(InputError):
    """An instance does not fit the model's signature."""

    http_status = 422

    def __init__(self, model: str, index: int, field: str, problem: str) -> None:
        self.model, self.index, self.field, self.problem = model, index, field, problem
        super().__init__(model, index, field, problem)

    def __str__(self) -> str:
        subject = f"field {self.field!r} {self.problem}" if self.field else self.problem
        return (
            f"instance {self.index} for {self.model!r}: {subject}; "
            f"`repro info {self.model}` shows its fields"
        )


class DataFileError(InputError):
    """A file of instances cannot be read, or a file of predictions cannot be written."""

    def __init__(self, path: str, problem: str, line: int | None = None) -> None:
        self.path, self.problem, self.line = path, problem, line
        super().__init__(path, problem, line)

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{where}: {self.problem}"


class EngineError(ReproError):
    """The machine, or the container engine on it, cannot do what is needed."""

    exit_code = 3
    http_status = 503


class EngineUnavailable(EngineError):
    """No container engine answers, or it does not let us in."""

    def __init__(self, address: str, problem: str, remedy: str) -> None:
        self.address, self.problem, self.remedy = address, problem, remedy
        super().__init__(address, problem, remedy)

    def __str__(self) -> str:
        return f"no container engine at {self.address}: {self.problem}; {self.remedy}"


class ImageNotFound(EngineError):
    """An image is not there, or cannot be had."""

    def __init__(self, image: str, remedy: str, problem: str = "is not on this engine") -> None:
        self.image, self.remedy, self.problem = image, remedy, problem
        super().__init__(image, remedy, problem)

    def __str__(self) -> str:
        return f"the image {self.image} {self.problem}; {self.remedy}"


class ImageOutdated(EngineError):
    """An image was built from other files than the package has now."""

    def __init__(self, image: str, built_from: str, expected: str, remedy: str) -> None:
        self.image, self.built_from, self.expected = image, built_from, expected
        self.remedy = remedy
        super().__init__(image, built_from, expected, remedy)

    def __str__(self) -> str:
        was = f"context {self.built_from[:12]}" if self.built_from else "an unknown context"
        return (
            f"the image {self.image} was built from {was}, the package is at "
            f"{self.expected[:12]}; {self.remedy}"
        )


class BuildError(EngineError):
    """An image could not be built; carries the failing step and the last lines it printed."""

    def __init__(self, image: str, step: str, problem: str, lines: Sequence[str] = ()) -> None:
        self.image, self.step, self.problem, self.lines = image, step, problem, tuple(lines)
        super().__init__(image, step, problem, self.lines)

    def __str__(self) -> str:
        at = f" at {_short(self.step, 120)}" if self.step else ""
        return _with_lines(f"building {self.image} failed{at}: {self.problem}", self.lines)


class WeightsUnavailable(EngineError):
    """A file of weights cannot be fetched; carries what each place that was asked gave instead."""

    def __init__(self, path: str, sha256: str, problems: Sequence[str], place: str) -> None:
        self.path, self.sha256, self.problems, self.place = path, sha256, tuple(problems), place
        super().__init__(path, sha256, self.problems, place)

    def __str__(self) -> str:
        return (
            f"{self.path} cannot be fetched: {'; '.join(self.problems)}; put the file whose "
            f"SHA-256 is {self.sha256} at {self.place}, or name a folder or an address that has "
            "it under that name (REPRO_WEIGHTS_MIRROR)"
        )


class ImageDrifted(EngineError):
    """An image is not what its package's `image.lock` says; carries what differs."""

    def __init__(self, image: str, differences: Sequence[str], remedy: str) -> None:
        self.image, self.differences, self.remedy = image, tuple(differences), remedy
        super().__init__(image, self.differences, remedy)

    def __str__(self) -> str:
        count = len(self.differences)
        shown = "; ".join(self.differences[:8])
        more = f"; and {count - 8} more" if count > 8 else ""
        return (
            f"the image {self.image} is not what its image.lock says: {shown}{more}; {self.remedy}"
        )


class RegistryError(EngineError):
    """A registry does not answer, refuses, or says what is not so."""

    def __init__(self, registry: str, problem: str, remedy: str) -> None:
        self.registry, self.problem, self.remedy = registry, problem, remedy
        super().__init__(registry, problem, remedy)

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"the registry {self.registry}: {self.problem}{remedy}"


class DeviceUnavailable(EngineError):
    """A GPU was asked for and cannot be had."""

    def __init__(self, device: str, problem: str) -> None:
        self.device, self.problem = device, problem
        super().__init__(device, problem)

    def __str__(self) -> str:
        return (
            f"{self.device} cannot be had: {self.problem}; "
            "use the CPU (device=-1), or install the NVIDIA container toolkit "
            "on the engine's machine"
        )


class DiskFull(EngineError):
    """The host has no space left where something had to be written."""

    http_status = 507

    def __init__(self, path: str, remedy: str = "") -> None:
        self.path, self.remedy = path, remedy
        super().__init__(path, remedy)

    def __str__(self) -> str:
        return f"no space left on the device that holds {self.path}; {self.remedy or 'free some'}"


class ModelError(ReproError):
    """The wrapped model failed, or answered something else than was asked for.

    Attributes
    ----------
    completed : list or int
        The predictions before the failure; of a stream, how many there were.
    """

    exit_code = 1
    http_status = 502
    completed: Sequence[object] | int = ()


class ContainerError(ModelError):
    """A program in a container ended with a non-zero status."""

    def __init__(
        self, image: str, command: Sequence[str], exit_code: int, lines: Sequence[str] = ()
    ) -> None:
        self.image, self.command, self.status = image, tuple(command), exit_code
        self.lines = tuple(lines)
        super().__init__(image, self.command, exit_code, self.lines)

    index: int | None = None  # the instance that ends it, if it does so alone

    def __str__(self) -> str:
        command = " ".join(_short(word) for word in self.command)
        over = _over(self.index)
        return _with_lines(f"{command!r} in {self.image} {_ended(self.status)}{over}", self.lines)


class OutOfMemory(ContainerError):
    """A container was killed because it needed more memory than it was given."""

    def __init__(
        self,
        image: str,
        command: Sequence[str],
        exit_code: int,
        lines: Sequence[str] = (),
        limit: int = 0,
        certain: bool = True,  # noqa: FBT001, FBT002  pickled by its position
    ) -> None:
        super().__init__(image, command, exit_code, lines)
        self.limit, self.certain = limit, certain
        self.args = (image, self.command, exit_code, self.lines, limit, certain)

    def __str__(self) -> str:
        over = _over(self.index)
        ended = "was killed" if self.certain else f"{_ended(self.status)}, probably"
        return _with_lines(
            f"the container of {self.image} {ended} for memory{over}: its limit was "
            f"{self.limit / 2**20:,.0f} MiB; give it more "
            "(memory=…, on the command line --memory), or send smaller inputs",
            self.lines,
        )


class OutputError(ModelError):
    """A model's output is not what was asked for; nothing of it is returned."""

    def __init__(self, model: str, problem: str, index: int | None = None) -> None:
        self.model, self.problem, self.index = model, problem, index
        super().__init__(model, problem, index)

    def __str__(self) -> str:
        which = "" if self.index is None else f"prediction {self.index} of "
        return f"{which}{self.model}: {self.problem}"


class PredictionError(ModelError):
    """A model raised an exception; carries its type, message and traceback, and the instance."""

    def __init__(
        self, model: str, index: int | None, kind: str, message: str, traceback: str = ""
    ) -> None:
        self.model, self.index, self.kind = model, index, kind
        self.message, self.traceback = message, traceback
        super().__init__(model, index, kind, message, traceback)

    def __str__(self) -> str:
        head = f"{self.model} raised {self.kind}{_over(self.index)}: {self.message}"
        return _with_lines(head, self.traceback.rstrip().splitlines())


class PredictionTimeout(ModelError):
    """A model did not answer in time."""

    http_status = 504

    def __init__(
        self, model: str, seconds: float, index: int | None = None, doing: str = "answer"
    ) -> None:
        self.model, self.seconds, self.index, self.doing = model, seconds, index, doing
        super().__init__(model, seconds, index, doing)

    def __str__(self) -> str:
        what = f"{self.model} did not {self.doing} within {self.seconds:g} s{_over(self.index)}"
        answer = self.doing == "answer"
        option = "timeout=…, on the command line --timeout" if answer else "load_timeout=…"
        return f"{what} and was stopped; give it more time ({option})"


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known names are near, as the end of a sentence; nothing if none is."""
    near = get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""


def _over(index: int | None) -> str:
    return "" if index is None else f" over instance {index}"


def _with_lines(head: str, lines: Sequence[str]) -> str:
    return "\n".join([head, *(f"    {line}" for line in lines)])


def _short(word: str, limit: int = 60) -> str:
    line = word.replace("\n", "⏎")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _ended(status: int) -> str:
    if status > 128:
        return f"was ended by signal {status - 128} (status {status})"
    return f"ended with status {status}"
