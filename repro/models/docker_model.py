"""Models that run in a container of their own."""

from __future__ import annotations

import inspect
import logging
import os
import weakref
from functools import cached_property
from math import isfinite
from pathlib import Path
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from repro.common.jsonlines import JSONRuleError, encode
from repro.common.sizes import parse_bytes
from repro.errors import ConfigurationError, InstanceError
from repro.models.failure import counted, limited, listed
from repro.models.model import Model
from repro.models.program import Program
from repro.models.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from typing_extensions import Self

    from repro.common.jsonlines import JSON
    from repro.engine.pool import Pool
    from repro.models.worker_mode import Answered

_Prediction = TypeVar("_Prediction")
OnError = Literal["raise", "record"]
LEAST_CPUS = 0.001

log = logging.getLogger(__name__)


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
    workers : int
        Containers that answer at the same time; each gets its part of the default memory.
    batch_size : int
        Instances that are sent at once. The batches of a float model decide its last digits, and do
        not depend on how many workers there are.
    load_timeout : float
        Seconds that loading the model may take.
    idle_timeout : float, optional
        Seconds without a call after which the workers end; None is never.
    cold : bool, optional
        Whether each call starts a container of its own, which reads a file and writes one; the card
        says so by default, of programs that cannot do otherwise.
    allow_unlimited : bool
        Run also where the engine cannot limit memory and processes; refused by default.
    files_within : str, optional
        A directory: files that instances name are read nowhere else, wherever links lead. By
        default whatever the caller can read is.
    """

    last_image: str | None = None  # the id of the image that answered last
    isolated: int = 0  # instances that were answered, but not in their batch
    program: ClassVar[Program | None] = None  # of a model without a card

    _options: dict[str, Any]
    _pool: Pool | None = None
    _answer_one: Callable[[DockerModel, Pool, bytes, Mapping[str, object]], JSON]
    _end_workers: Callable[[], object] | None = None
    _launched: tuple[object, ...] = ()

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
        workers: int = 1,
        batch_size: int = 64,
        load_timeout: float = 600.0,
        idle_timeout: float | None = 300.0,
        cold: bool | None = None,
        allow_unlimited: bool = False,
        files_within: str | None = None,
    ) -> None:
        if not _is_more_than(device, -2) or device != int(device):
            raise ConfigurationError(f"device={device!r} is no GPU; -1 is the CPU, 0 the first GPU")
        if image is not None and not image:
            raise ConfigurationError(f"image={image!r} is no name of an image")
        if files_within is not None and not Path(files_within or os.devnull).is_dir():
            raise ConfigurationError(f"files_within={files_within!r} is no folder")
        for option, value, least in (
            ("timeout", timeout, 0.0),
            ("load_timeout", load_timeout, 0.0),
            ("idle_timeout", idle_timeout, 0.0),
            ("cpus", cpus, LEAST_CPUS),
        ):
            if value is not None and not _is_more_than(value, least):
                raise ConfigurationError(f"{option}={value!r} is not a number above {least:g}")
        for option, number in (("workers", workers), ("batch_size", batch_size)):
            if not _is_more_than(number, 0) or number != int(number):
                raise ConfigurationError(f"{option}={number!r} is no whole number above 0")
        self.image = image
        self.device = device
        self.timeout = timeout
        self.memory = _bytes("memory", memory)
        self.cpus = cpus
        self.network = network
        self.max_output = _bytes("max_output", max_output)
        self.workers = workers
        self.batch_size = batch_size
        self.load_timeout = load_timeout
        self.idle_timeout = idle_timeout
        self.cold = cold
        self.allow_unlimited = allow_unlimited
        self._within = files_within and str(Path(files_within).resolve())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; the next call starts new ones."""
        with _making:
            end, self._end_workers = self._end_workers, None
            self._pool, self._launched = None, ()
        if end is not None:
            end()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        args, kwargs = cast("tuple[Any, Any]", self._given)  # type: ignore[attr-defined]
        return _again, (type(self), args, kwargs)

    @property
    def load_seconds(self) -> float | None:
        """How long the program took to load the model, where a worker is running that says so."""
        return None if self._pool is None else self._pool.load_seconds

    @property
    def load_options(self) -> dict[str, Any]:
        """The options that the program in the container is loaded with; others mean new workers."""
        return dict(self._options)

    @load_options.setter
    def load_options(self, options: dict[str, Any]) -> None:
        self._options = dict(options)

    @cached_property
    def schema(self) -> Schema:
        """What an instance and a prediction of this model are."""
        return Schema.of(self.name or type(self).__name__, type(self).predict, self._within)

    @property
    def files_within(self) -> str | None:
        """The directory, without links, outside which no file is read; it stays what it is."""
        return self.schema.within

    def resolve(self) -> Program:
        """Tell what is run: what the class says, else the card; `image` replaces the image."""
        program = type(self).program or _program_of(self.name)
        if self.image is not None:
            return Program(
                image=self.image,
                command=program.command,
                network=program.network,
                memory=program.memory,
                cold=program.cold,
            )
        return program

    def answer(self, **given: Any) -> _Prediction:  # type: ignore[type-var]  # what `predict` says
        """Answer one instance: what `predict` was called with, fields and options alike."""
        options = {name: given.pop(name) for name in list(given) if name in self.schema.options}
        predictions: list[_Prediction] = self.predict_batch([given], **options)
        return predictions[0]

    def predict_batch(
        self,
        inputs: Sequence[dict[str, Any]],
        *,
        on_error: OnError = "raise",
        max_errors: int | None = None,
        **options: Any,
    ) -> Any:
        """Answer a list of instances.

        Parameters
        ----------
        inputs : sequence of dict, length N
            The fields of each.
        on_error : "raise" or "record"
            Whether the first failure ends the call, or stands as a `Failure` in its place.
        max_errors : int, optional
            How many failures are recorded before the next one is raised.
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
            If the model failed, or answered something else than was asked for. Its `completed` has
            the predictions before that.
        EngineError
            If the machine cannot run it.
        """
        checked = [self.schema.instance(given, index) for index, given in enumerate(inputs)]
        if len(checked) == 1 and on_error == "raise" and self._pool is not None and not self.cold:
            row, called = self._row(checked[0], 0), self.schema.call(options)
            return [self._answer_one(self, self._workers_now(), row, called)]
        answers = self._stream(checked, options, None, on_error=on_error, max_errors=max_errors)
        return listed(answers)

    def predict_stream(
        self,
        instances: Iterable[dict[str, Any]],
        *,
        on_error: OnError = "raise",
        max_errors: int | None = None,
        on_progress: Callable[[int], None] | None = None,
        answered: Answered | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        """Answer instances as an iterator, in order and in bounded memory.

        Instances are taken a few batches ahead of the predictions.

        Parameters
        ----------
        instances : iterable of dict
            The fields of each.
        on_error, max_errors
            As `predict_batch`.
        on_progress : callable, optional
            Gets the number of predictions made so far, now and then.
        answered : Answered, optional
            The predictions of the first instances, from a stream that was stopped. Batches that it
            has whole are neither asked nor yielded again; a cold program answers all anew.
        **options
            The keyword-only parameters of `predict`.

        Raises
        ------
        InstanceError, ModelError, EngineError
            As `predict_batch`; `completed` is the number of predictions before that.
        """
        checked = (self.schema.instance(given, index) for index, given in enumerate(instances))
        answers = self._stream(
            checked,
            options,
            on_progress,
            on_error=on_error,
            max_errors=max_errors,
            answered=answered,
        )
        return counted(answers)

    def predict_each(self, inputs: Sequence[dict[str, Any]], **options: Any) -> list[Any]:
        """Answer each of several instances as `predict` would."""
        answers: list[Any] = self.predict_batch(inputs, **options)
        return answers

    def _stream(  # noqa: PLR0913  one parameter a thing that can be asked for
        self,
        instances: Iterable[Mapping[str, object]],
        options: dict[str, Any],
        on_progress: Callable[[int], None] | None,
        on_corpus: Callable[[Any], None] | None = None,
        *,
        on_error: OnError,
        max_errors: int | None,
        answered: Answered | None = None,
    ) -> Iterator[Any]:
        """Send checked instances through the program, warm if it can."""
        if on_error not in {"raise", "record"}:
            raise ConfigurationError(f"on_error={on_error!r}; it is 'raise' or 'record'")
        called = self.schema.call(options)
        patient = on_error == "record"
        rows = self._rows(instances)
        answers = self._answers(rows, called, on_progress, on_corpus, patient, answered)
        return answers if max_errors is None else limited(answers, max_errors)

    def _answers(
        self,
        rows: Iterator[bytes],
        options: dict[str, Any],
        on_progress: Callable[[int], None] | None,
        on_corpus: Callable[[Any], None] | None,
        patient: bool,  # noqa: FBT001
        answered: Answered | None,
    ) -> Iterator[Any]:
        if not self._runs_cold():
            from repro.engine.pool import NoWorkerMode
            from repro.models.worker_mode import WorkerMode

            mode = WorkerMode(self, self._workers_now, patient=patient)
            try:
                yield from mode.answers(rows, options, on_progress, on_corpus, answered)
            except NoWorkerMode as error:
                if mode.known:  # some were answered in that mode: this is another failure
                    raise error.error from None
                log.info("%s has no worker mode, it runs cold: %s", self.name, error)
                self.cold = True
                rows = mode.unanswered()
            else:
                return
        from repro.models.file_mode import FileMode

        cold = FileMode(self)
        run = cold.recorded if patient else cold.answers
        yield from run(rows, {**self._options, **options}, on_progress, on_corpus)

    def _rows(self, instances: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
        """Encode instances.

        Raises
        ------
        InstanceError
            With the field that breaks a rule of `repro.common.jsonlines`.
        """
        for index, instance in enumerate(instances):
            yield self._row(instance, index)

    def _row(self, instance: Mapping[str, object], index: int) -> bytes:
        try:
            return encode(instance)
        except JSONRuleError as error:
            field, problem = _guilty(instance, str(error))
            raise InstanceError(self.schema.model, index, field, problem) from None

    def _runs_cold(self) -> bool:
        if self.cold is not None:
            return self.cold
        return self._pool is None and self.resolve().cold  # else it is known not to

    def _workers_now(self) -> Pool:
        """Return the pool of workers; a new one if something they were started with has changed."""
        launched = (
            *(self.image, self.device, self.timeout, self.memory, self.cpus, self.network),
            *(self.workers, self.load_timeout, self.idle_timeout, self.allow_unlimited),
            repr(self._options),
        )
        if launched == self._launched and (pool := self._pool) is not None:
            return pool
        from repro.models.worker_mode import answer_one, make_pool

        self._answer_one = answer_one
        with _making:
            if launched == self._launched and (pool := self._pool) is not None:
                return pool
            end, pool = self._end_workers, make_pool(self)
            self._pool, self._launched = pool, launched  # in this order: it is looked at unlocked
            self._end_workers = weakref.finalize(self, pool.close)
        Thread(target=self.schema.prepare, daemon=True).start()  # while they start
        if end is not None:
            end()
        return pool

    def dataset(self, name: str) -> Iterator[dict[str, JSON]]:
        """Yield the rows of a data set that ships in the image: each an input and its label.

        Raises
        ------
        ModelError
            If the program has no such data set.
        """
        from repro.models.file_mode import FileMode

        rows = FileMode(self).dataset(name)
        return ({**row, "input": self.schema.in_image(row["input"])} for row in rows)


_making = RLock()  # one pool a model, however many threads ask for the first


def _renew_lock() -> None:
    global _making  # noqa: PLW0603  a forked child may have inherited it while it was held
    _making = RLock()


os.register_at_fork(after_in_child=_renew_lock)

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
        cold=model.cold,
        recipe=recipe,
    )


def _guilty(instance: Mapping[str, object], problem: str) -> tuple[str, str]:
    """Name the field that breaks a rule."""
    for name, value in instance.items():
        try:
            encode(value)
        except JSONRuleError as error:
            return name, str(error)
    return "", problem


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
