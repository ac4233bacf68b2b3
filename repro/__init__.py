"""Run published research models, each in its own container.

``repro.load("hutto2014-vader")`` gives a model; ``repro.list_models()`` says what there is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repro.catalog import MODELS_ROOT as MODELS_ROOT
    from repro.catalog import list_models as list_models
    from repro.errors import EngineError as EngineError
    from repro.errors import InputError as InputError
    from repro.errors import ModelError as ModelError
    from repro.errors import ReproError as ReproError
    from repro.models import DockerModel as DockerModel
    from repro.models import Model as Model
    from repro.models import load as load

__version__ = "0.1.0"

# Name → the module that has it, imported at first use: `import repro` costs next to nothing.
_HOME = {
    "MODELS_ROOT": "repro.catalog",
    "list_models": "repro.catalog",
    "EngineError": "repro.errors",
    "InputError": "repro.errors",
    "ModelError": "repro.errors",
    "ReproError": "repro.errors",
    "DockerModel": "repro.models",
    "Model": "repro.models",
    "load": "repro.models",
}

__all__ = [
    "MODELS_ROOT",
    "DockerModel",
    "EngineError",
    "InputError",
    "Model",
    "ModelError",
    "ReproError",
    "__version__",
    "list_models",
    "load",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'repro' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
