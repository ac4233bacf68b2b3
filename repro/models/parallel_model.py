"""The same model several times over, each with containers of its own."""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from repro.models.docker_model import DockerModel
from repro.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence


class ParallelModel(Model):
    """Splits its inputs between models of one class, which answer at the same time.

    This is the ancestor's way, for models that differ, such as in their `device`. Containers that
    are all alike are one model with ``workers=N``, which takes streams and gives one output.

    Parameters
    ----------
    model_cls : type
        The class of the models.
    model_kwargs_list : list of dict, optional
        What each model is made with; as many models as there are dicts.
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
            The fields of each. Their parts are contiguous and differ in length by one at most;
            there are no more models than instances, and none for no instances (where the ancestor
            failed).
        **kwargs
            What each model's `predict_batch` takes besides; the ancestor dropped it.

        Returns
        -------
        list
            The output of each model, in the order of the inputs. For metrics,
            `repro.common.util.aggregate_parallel_metrics` puts them together.

        Raises
        ------
        Exception
            What the first model that failed has raised; those in containers are ended then.
        """
        parts = _split(list(inputs), len(self.model_kwargs_list))
        if not parts:
            return []
        made = zip(self.model_kwargs_list, parts, strict=False)
        models = [self.model_cls(**model_kwargs) for model_kwargs, _ in made]
        with ThreadPoolExecutor(len(models)) as threads:
            answers = [
                threads.submit(model.predict_batch, part, **kwargs)
                for model, part in zip(models, parts, strict=True)
            ]
            try:
                done, _ = wait(answers, return_when=FIRST_EXCEPTION)
                for answer in done:
                    answer.result()  # raises what the first one to fail has raised
            finally:
                for model in models:
                    if isinstance(model, DockerModel):
                        model.close()
        return [answer.result() for answer in answers]


def _split(inputs: list[dict[str, Any]], count: int) -> list[list[dict[str, Any]]]:
    """Split into contiguous parts, none empty, whose lengths differ by one at most."""
    count = min(count, len(inputs))
    bounds = [len(inputs) * index // count for index in range(count + 1)] if count else [0]
    return [inputs[start:end] for start, end in pairwise(bounds)]
