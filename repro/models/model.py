"""The base of all models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from repro.common.registrable import Registrable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_C = TypeVar("_C", bound=type)


class Model(Registrable):
    """Something that answers instances with predictions.

    Derive from `DockerModel` and write `predict`; or derive from this class and write
    `predict_batch`, with a container run by hand, as the tutorial does.
    """

    name: ClassVar[str] = ""

    @classmethod
    def register(
        cls,
        name: str,
        constructor: str | None = None,
        exist_ok: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
    ) -> Callable[[_C], _C]:
        """Register the decorated class under `name`, and tell it."""
        add = super().register(name, constructor, exist_ok=exist_ok)

        def add_and_tell(subclass: _C) -> _C:
            if "name" not in vars(subclass):
                subclass.name = name  # type: ignore[attr-defined]
            return add(subclass)

        return add_and_tell

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Answer one instance, given by its fields."""
        raise NotImplementedError(f"{type(self).__name__} has no predict")

    def predict_batch(self, inputs: Sequence[dict[str, Any]], **kwargs: Any) -> Any:
        """Answer a list of instances, each a dict of its fields, in their order."""
        raise NotImplementedError(f"{type(self).__name__} has no predict_batch")
