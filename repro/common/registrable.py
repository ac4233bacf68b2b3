"""Classes that can be found by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from repro.errors import ConfigurationError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

_C = TypeVar("_C", bound=type)


class Registrable:
    """Base of classes whose subclasses register under a name.

    There is one registry for a direct subclass of `Registrable` and everything below it: what
    ``QuestionAnsweringModel.register("x")`` registers, ``Model.by_name("x")`` finds.
    """

    default_implementation: ClassVar[str | None] = None
    _registries: ClassVar[dict[type, dict[str, tuple[type, str | None]]]] = {}

    @classmethod
    def register(
        cls,
        name: str,
        constructor: str | None = None,
        exist_ok: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
    ) -> Callable[[_C], _C]:
        """Register the decorated class under `name`.

        Parameters
        ----------
        name : str
            The name to find it by.
        constructor : str, optional
            The name of a class method that makes instances, instead of the class itself.
        exist_ok : bool
            Replace what is registered under that name.

        Raises
        ------
        ConfigurationError
            If another class has that name already.
        """

        def add(subclass: _C) -> _C:
            registry = cls._registry()
            if name in registry and not exist_ok:
                taken = registry[name][0]
                if _path(taken) != _path(subclass):
                    raise ConfigurationError(
                        f"cannot register {_path(subclass)} as {name!r}: "
                        f"{_path(taken)} has that name"
                    )
            registry[name] = (subclass, constructor)
            return subclass

        return add

    @classmethod
    def by_name(cls, name: str) -> Callable[..., Self]:
        """Find what makes instances of the class registered as `name`, or at that import path."""
        subclass, constructor = cls.resolve_class_name(name)
        if constructor is None:
            return subclass
        return cast("Callable[..., Self]", getattr(subclass, constructor))

    @classmethod
    def resolve_class_name(cls, name: str) -> tuple[type[Self], str | None]:
        """Find the class and its constructor's name.

        ``package.module.Class`` works for any importable class.

        Raises
        ------
        UnknownNameError
            If there is none; names the nearest ones.
        """
        registry = cls._registry()
        if name in registry:
            return cast("tuple[type[Self], str | None]", registry[name])
        module, _, attribute = name.rpartition(".")
        if module and not name.startswith("."):
            try:
                found = getattr(import_module(module), attribute, None)
            except ImportError:
                found = None
            if isinstance(found, type) and issubclass(found, cls):
                return found, None
        raise UnknownNameError(cls.__name__, name, registry)

    @classmethod
    def list_available(cls) -> list[str]:
        """List the registered names, the default one first."""
        names = list(cls._registry())
        default = cls.default_implementation
        if default is None:
            return names
        if default not in names:
            raise ConfigurationError(
                f"the default implementation {default!r} of {cls.__name__} is not registered"
            )
        return [default, *(name for name in names if name != default)]

    @classmethod
    def _registry(cls) -> dict[str, tuple[type, str | None]]:
        below = [one for one in cls.__mro__ if issubclass(one, Registrable)]
        root = below[-2] if len(below) > 1 else Registrable
        return Registrable._registries.setdefault(root, {})


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
