"""The small vocabulary that everything shares."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repro.common.registrable import Registrable as Registrable
    from repro.common.tempdir import TemporaryDirectory as TemporaryDirectory
    from repro.errors import ConfigurationError as ConfigurationError

# Name → the module that has it, imported at first use.
_HOME = {
    "ConfigurationError": "repro.errors",
    "Registrable": "repro.common.registrable",
    "TemporaryDirectory": "repro.common.tempdir",
}

__all__ = ["ConfigurationError", "Registrable", "TemporaryDirectory"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
