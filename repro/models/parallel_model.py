"""The same model several times over, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import pickle
import traceback
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from repro.errors import ModelError, PredictionError
from repro.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

END_SECONDS = 10.0  # that a worker may tidy up after its answer
STOP_SECONDS = 5.0  # until a worker that was asked to stop is killed


@dataclass(frozen=True)
class _Job:
    """What one worker does: make the model, and answer its part."""

    model_cls: type[Model]
    model_kwargs: dict[str, Any]
    inputs: list[dict[str, Any]]
    kwargs: dict[str, Any]


class ParallelModel(Model):
    """Splits its inputs between models of one class, each in a process of its own.

    A worker gets a contiguous part, makes its model, and calls its `predict_batch`. The processes
    are fresh ones where the class can be imported; a script then needs its
    ``if __name__ == "__main__":``. A class of the script itself, of a notebook or of a function is
    run in forks.

    Parameters
    ----------
    model_cls : type
        The class of the models.
    model_kwargs_list : list of dict, optional
        What each model is made with; as many processes as there are dicts.
    num_models : int, optional
        As many models made with nothing. Either this or `model_kwargs_list`.

    Raises
    ------
    ValueError
        If not exactly one of the two is given, or it asks for no model at all.
    """

    def __init__(
        self,
        model_cls: type[Model],
        model_kwargs_list: Sequence[dict[str, Any]] | None = None,
        num_models: int | None = None,
    ) -> None:
        if (model_kwargs_list is None) == (num_models is None):
            raise ValueError("give either model_kwargs_list or num_models")
        if num_models is not None:
            model_kwargs_list = [{} for _ in range(num_models)]
        if not model_kwargs_list:
            raise ValueError("at least one model is needed")
        self.model_cls = model_cls
        self.model_kwargs_list = list(model_kwargs_list)

    def predict_batch(self, inputs: Sequence[dict[str, Any]], **kwargs: Any) -> list[Any]:
        """Answer a list of instances.

        Parameters
        ----------
        inputs : sequence of dict, length N
            The fields of each. Their parts differ in length by one at most; there are no more
            workers than instances, and none for no instances (where the ancestor failed).
        **kwargs
            What each model's `predict_batch` takes besides; the ancestor dropped it.

        Returns
        -------
        list
            The output of each worker, in the order of the inputs. For metrics,
            `repro.common.util.aggregate_parallel_metrics` puts them together.

        Raises
        ------
        Exception
            What a worker raised, as soon as it did; the others are stopped.
        ModelError
            If a worker ended without an answer.
        """
        parts = _split(list(inputs), len(self.model_kwargs_list))
        jobs = [
            _Job(self.model_cls, model_kwargs, part, kwargs)
            for model_kwargs, part in zip(self.model_kwargs_list, parts, strict=False)
        ]
        return _run(jobs)


def _split(inputs: list[dict[str, Any]], count: int) -> list[list[dict[str, Any]]]:
    """Split into contiguous parts, none empty, whose lengths differ by one at most."""
    count = min(count, len(inputs))
    bounds = [len(inputs) * index // count for index in range(count + 1)] if count else [0]
    return [inputs[start:end] for start, end in pairwise(bounds)]


def _run(jobs: list[_Job]) -> list[Any]:
    outputs: dict[int, Any] = {}
    with ExitStack() as stack:
        workers = {}
        for index, job in enumerate(jobs):
            connection, process = _start(job, stack)
            workers[connection] = index, process
        while len(outputs) < len(jobs):
            for ready in wait([c for c, (index, _) in workers.items() if index not in outputs]):
                index, process = workers[ready]  # type: ignore[index]  # wait gives what it got
                outputs[index] = _answer(ready, process, index, jobs[index])
        for _, process in workers.values():
            process.join(END_SECONDS)
    return [outputs[index] for index in range(len(jobs))]


def _start(job: _Job, stack: ExitStack) -> tuple[Connection, BaseProcess]:
    context = _context(job)
    receiver, sender = context.Pipe(duplex=False)
    stack.callback(receiver.close)
    process: BaseProcess = context.Process(target=_work, args=(sender, job))  # type: ignore[attr-defined]
    with sender:
        process.start()
    stack.callback(_stop, process)
    return receiver, process


def _context(job: _Job) -> BaseContext:
    """Choose fresh processes where the job can be sent to one."""
    try:
        pickle.dumps(job)
        importable = job.model_cls.__module__ != "__main__"
    except (pickle.PicklingError, AttributeError, TypeError):
        importable = False
    return multiprocessing.get_context("spawn" if importable else "fork")


def _stop(process: BaseProcess) -> None:
    if process.is_alive():
        process.terminate()
        process.join(STOP_SECONDS)
        if process.is_alive():
            process.kill()
    process.join()
    process.close()


def _answer(connection: Any, process: BaseProcess, index: int, job: _Job) -> Any:
    """Receive what a worker made, or raise what it raised."""
    name = job.model_cls.__name__
    try:
        error, said = connection.recv()
    except EOFError:
        process.join()
        raise ModelError(
            f"worker {index} of {name} ended with status {process.exitcode} before it answered; "
            'a script must use a ParallelModel under `if __name__ == "__main__":`'
        ) from None
    if error is not None:
        raise error from RuntimeError(f"in worker {index} of {name}:\n{said}")
    return said


def _work(sender: Connection, job: _Job) -> None:
    """Do a job, in a worker: send (None, output), or (the error, its traceback)."""
    with sender:
        try:
            model = job.model_cls(**job.model_kwargs)
            sender.send((None, model.predict_batch(job.inputs, **job.kwargs)))
        except Exception as error:  # noqa: BLE001  it is raised where the caller is
            said = traceback.format_exc()
            sender.send((_portable(error, job, said), said))


def _portable(error: Exception, job: _Job, said: str) -> Exception:
    """Make an error that can be sent: itself, if it survives that."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  what was just dumped
    except Exception:  # noqa: BLE001  an exception's own code decides what it raises here
        return PredictionError(job.model_cls.__name__, None, type(error).__name__, str(error), said)
    return error
