"""Models: the classes that users call, and one package for each published model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repro.models.docker_model import DockerModel as DockerModel
    from repro.models.files import Audio as Audio
    from repro.models.files import Content as Content
    from repro.models.files import File as File
    from repro.models.files import Image as Image
    from repro.models.lookup import load as load
    from repro.models.metric import Metric as Metric
    from repro.models.model import Model as Model
    from repro.models.parallel_model import ParallelModel as ParallelModel
    from repro.models.tasks import QuestionAnsweringModel as QuestionAnsweringModel
    from repro.models.tasks import QuestionGenerationModel as QuestionGenerationModel
    from repro.models.tasks import RecipeGenerationModel as RecipeGenerationModel
    from repro.models.tasks import (
        SingleDocumentSummarizationModel as SingleDocumentSummarizationModel,
    )
    from repro.models.tasks import TruecasingModel as TruecasingModel

# Name → the module that has it, imported at first use.
_HOME = {
    "Audio": "repro.models.files",
    "Content": "repro.models.files",
    "DockerModel": "repro.models.docker_model",
    "File": "repro.models.files",
    "Image": "repro.models.files",
    "load": "repro.models.lookup",
    "Metric": "repro.models.metric",
    "Model": "repro.models.model",
    "ParallelModel": "repro.models.parallel_model",
    "QuestionAnsweringModel": "repro.models.tasks",
    "QuestionGenerationModel": "repro.models.tasks",
    "RecipeGenerationModel": "repro.models.tasks",
    "SingleDocumentSummarizationModel": "repro.models.tasks",
    "TruecasingModel": "repro.models.tasks",
}

__all__ = [
    "Audio",
    "Content",
    "DockerModel",
    "File",
    "Image",
    "Metric",
    "Model",
    "ParallelModel",
    "QuestionAnsweringModel",
    "QuestionGenerationModel",
    "RecipeGenerationModel",
    "SingleDocumentSummarizationModel",
    "TruecasingModel",
    "load",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
