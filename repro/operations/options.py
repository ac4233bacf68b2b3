"""Which options of a model are of loading, and which of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from repro.errors import ReproError
from repro.models.lookup import model_class
from repro.models.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping


def split_options(model: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell the options that a model is made with from those of a call.

    The signature of `predict` has the latter. What neither has is refused when the model is made.
    """
    if not options:
        return {}, {}
    try:
        known = Schema.of(model, model_class(model).predict).options
    except ReproError:  # is told when the model is made
        known = {}
    made = {name: value for name, value in options.items() if name not in known}
    called = {name: value for name, value in options.items() if name in known}
    return made, called
