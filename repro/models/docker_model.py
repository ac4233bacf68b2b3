"""Models that run in a container of their own."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from repro.common.sizes import parse_bytes
from repro.errors import ConfigurationError
from repro.models.model import Model
from repro.models.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from typing_extensions import Self

    from repro.common.jsonlines import JSON
    from repro.engine.recipe import Recipe

_Prediction = TypeVar("_Prediction")
LEAST_CPUS = 0.001


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a model runs: an image, and a command in it.

    The words of the contract are appended to the command.

    `recipe`, where there is one, says what the image must have been built from.
    """

    image: str
    command: tuple[str, ...] = ("python", "run.py")
    network: bool = False
    memory: int | None = None
    recipe: Recipe | None = None


class DockerModel(Model):
    """A model in a container. Derive from it, register the class, and write `predict`.

    The signature of `predict` is the schema: what can be given by position is a field of an
    instance, what is keyword-only is an option of a call, the return annotation is the prediction.
    Its body is one ``return self.answer(...)``. Keyword-only parameters of ``__init__`` besides
    those below are options that the program in the container is loaded with.

    Parameters
    ----------
    image : str, optional
        Another image than the card's.
    device : int
        The GPU to run on; -1, the default, is the CPU.
    timeout : float, optional
        Seconds that a batch may take; no limit by default.
    memory : int or str, optional
        Bytes, or such as ``"2g"``; 80 % of the engine's memory by default.
    cpus : float, optional
        Processors' worth of time; all by default.
    network : bool, optional
        Whether the container has a network; the card says so by default, and then it rarely does.
    max_output : int or str, optional
        Bytes that the container may write for the host; 16 GiB by default.
    allow_unlimited : bool
        Run also where the engine cannot limit memory and processes; refused by default.
    """

    last_image: str | None = None  # the id of the image that answered last
    program: ClassVar[Program | None] = None  # of a model without a card

    _options: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep what the model is made with, also if a subclass has an `__init__` of its own."""
        model = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind(model, *args, **kwargs)
        bound.apply_defaults()
        model._options = {
            name: bound.arguments[name]
            for name, parameter in inspect.signature(cls.__init__).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY and name not in _COMMON
        }
        model._given = (args, kwargs)  # type: ignore[attr-defined]
        return model

    def __init__(  # noqa: PLR0913  one parameter an option; they are keywords
        self,
        image: str | None = None,
        *,
        device: int = -1,
        timeout: float | None = None,
        memory: int | str | None = None,
        cpus: float | None = None,
        network: bool | None = None,
        max_output: int | str | None = None,
        allow_unlimited: bool = False,
    ) -> None:
        if not _is_more_than(device, -2) or device != int(device):
            raise ConfigurationError(f"device={device!r} is no GPU; -1 is the CPU, 0 the first GPU")
        if image is not None and not image:
            raise ConfigurationError(f"image={image!r} is no name of an image")
        for option, value, least in (("timeout", timeout, 0.0), ("cpus", cpus, LEAST_CPUS)):
            if value is not None and not _is_more_than(value, least):
                raise ConfigurationError(f"{option}={value!r} is not a number above {least:g}")
        self.image = image
        self.device = device
        self.timeout = timeout
        self.memory = _bytes("memory", memory)
        self.cpus = cpus
        self.network = network
        self.max_output = _bytes("max_output", max_output)
        self.allow_unlimited = allow_unlimited

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the model holds. Nothing, as each call has a container of its own."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        args, kwargs = cast("tuple[Any, Any]", self._given)  # type: ignore[attr-defined]
        return _again, (type(self), args, kwargs)

    @property
    def load_options(self) -> dict[str, Any]:
        """The options that the program in the container is loaded with."""
        return dict(self._options)

    @cached_property
    def schema(self) -> Schema:
        """What an instance and a prediction of this model are."""
        return Schema.of(self.name or type(self).__name__, type(self).predict)

    def resolve(self) -> Program:
        """Tell what is run: what the class says, else the card; `image` replaces the image."""
        program = type(self).program or _program_of(self.name)
        if self.image is not None:
            return Program(
                image=self.image,
                command=program.command,
                network=program.network,
                memory=program.memory,
            )
        return program

    def answer(self, **given: Any) -> _Prediction:  # type: ignore[type-var]  # what `predict` says
        """Answer one instance: what `predict` was called with, fields and options alike."""
        options = {name: given.pop(name) for name in list(given) if name in self.schema.options}
        predictions: list[_Prediction] = self.predict_batch([given], **options)
        return predictions[0]

    def predict_batch(self, inputs: Sequence[dict[str, Any]], **options: Any) -> Any:
        """Answer a list of instances.

        Parameters
        ----------
        inputs : sequence of dict, length N
            The fields of each.
        **options
            The keyword-only parameters of `predict`.

        Returns
        -------
        list, length N
            The predictions, in the order of `inputs`.

        Raises
        ------
        InstanceError
            If an instance does not fit the signature; no container was started.
        ModelError
            If the model failed, or answered something else than was asked for; nothing is returned.
        EngineError
            If the machine cannot run it.
        """
        return list(self.predict_stream(inputs, **options))

    def predict_stream(
        self,
        instances: Iterable[dict[str, Any]],
        *,
        on_progress: Callable[[int], None] | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        """Answer instances as an iterator, in order and in bounded memory.

        Parameters
        ----------
        instances : iterable of dict
            The fields of each.
        on_progress : callable, optional
            Gets the number of predictions made so far, now and then.
        **options
            The keyword-only parameters of `predict`.

        Raises
        ------
        InstanceError, ModelError, EngineError
            As `predict_batch`.
        """
        return self._stream(instances, options, on_progress)

    def predict_each(self, inputs: Sequence[dict[str, Any]], **options: Any) -> list[Any]:
        """Answer each of several instances as `predict` would."""
        answers: list[Any] = self.predict_batch(inputs, **options)
        return answers

    def _stream(
        self,
        instances: Iterable[dict[str, Any]],
        options: dict[str, Any],
        on_progress: Callable[[int], None] | None,
        on_corpus: Callable[[Any], None] | None = None,
    ) -> Iterator[Any]:
        """Check what is given, then stream it through the program."""
        from repro.models.file_mode import FileMode

        called = self.schema.call(options)
        checked = (self.schema.instance(given, index) for index, given in enumerate(instances))
        given = {**self._options, **called}
        return FileMode(self).answers(checked, given, on_progress, on_corpus)

    def dataset(self, name: str) -> Iterator[dict[str, JSON]]:
        """Yield the rows of a data set that ships in the image: each an input and its label.

        Raises
        ------
        ModelError
            If the program has no such data set.
        """
        from repro.models.file_mode import FileMode

        return FileMode(self).dataset(name)


_COMMON = frozenset(inspect.signature(DockerModel.__init__).parameters)


def _again(cls: type[DockerModel], args: tuple[Any, ...], kwargs: dict[str, Any]) -> DockerModel:
    return cls(*args, **kwargs)


def _program_of(name: str) -> Program:
    from repro.catalog import find_model
    from repro.common.config import read_config
    from repro.engine.recipe import recipe_of

    card, model = find_model(name)
    recipe = recipe_of(card, model.image, namespace=read_config().namespace)
    return Program(
        image=recipe.name,
        command=model.command,
        network=model.network,
        memory=model.memory,
        recipe=recipe,
    )


def _is_more_than(value: object, least: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and isfinite(cast("float", value)) and cast("float", value) > least


def _bytes(option: str, value: int | str | None) -> int | None:
    if value is None:
        return None
    try:
        size = parse_bytes(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from None
    if not _is_more_than(size, 0) or size != int(size):
        raise ConfigurationError(f"{option}={value!r} is no size; write it like 512m or 2g")
    return size
