"""What a model takes and gives, read off the signature of its `predict`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from repro.common.jsonlines import JSON
from repro.errors import ConfigurationError, InstanceError, OutputError, nearest
from repro.models import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Reserved: names a row, and reaches a container only if `predict` takes it.
INSTANCE_ID = "instance_id"
REQUIRED = inspect.Parameter.empty
LONGEST = 60  # characters of a value in a message

_PLAIN = (str, int, float, bool)


@dataclass(frozen=True)
class Field:
    """One field of an instance, or one option of a call."""

    name: str
    type: object
    default: object = REQUIRED

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED

    @property
    def type_name(self) -> str:
        """The type as one would write it."""
        return type_name(self.type)


@dataclass(frozen=True)
class Schema:
    """The fields of an instance, the options of a call, and the prediction's type.

    Checks are strict: an int passes for a float, nothing else is converted; and what was checked is
    passed on as it is. Only files are not: the path of one becomes an object that says where the
    path leads, and one that a model has made becomes its `Content`. Where `within` is a directory,
    as it is without links, no file outside of it is right.
    """

    model: str
    fields: Mapping[str, Field]
    options: Mapping[str, Field]
    prediction: object
    within: str | None = None
    _checks: dict[str, Callable[[object], str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, model: str, predict: Callable[..., Any], within: str | None = None) -> Schema:
        """Read the signature of a `predict`.

        What may be given by position is a field, the rest is an option.
        """
        hints = get_type_hints(predict, include_extras=True)
        fields, options = {}, {}
        for parameter in list(inspect.signature(predict).parameters.values())[1:]:
            found = Field(parameter.name, hints.get(parameter.name, Any), parameter.default)
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                fields[parameter.name] = found
            elif parameter.kind is parameter.KEYWORD_ONLY:
                options[parameter.name] = found
        return cls(model, fields, options, hints.get("return", Any), within)

    @cached_property
    def files(self) -> tuple[Field, ...]:
        """The fields that name files.

        Raises
        ------
        ConfigurationError
            If one is where none is looked for, or an option names one.
        """
        if any(files.has_files(option.type) for option in self.options.values()):
            raise ConfigurationError(f"an option of {self.model} is a file; only fields can be")
        return tuple(field for field in self.fields.values() if files.has_files(field.type))

    @cached_property
    def has_contents(self) -> bool:
        """Whether there are files in a prediction."""
        return self._content_reader is not None

    @cached_property
    def _content_reader(self) -> Callable[[Any], Any] | None:
        return files.content_reader(self.prediction)

    def located(self, given: Any, folder: str) -> Any:
        """Read the paths in an instance as relative to a folder."""
        return self._with_paths(given, lambda path: os.path.join(folder, path))  # noqa: PTH118

    def in_image(self, given: Any) -> Any:
        """Read the paths in an instance as those of files in the image."""
        return self._with_paths(given, files.InImage)

    def _with_paths(self, given: Any, change: Callable[[Any], Any]) -> Any:
        if not self.files or not isinstance(given, dict):
            return given
        changed = {
            one.name: files.mapped(one.type, given[one.name], change)
            for one in self.files
            if one.name in given
        }
        return {**given, **changed}

    def options_beside(self, function: Callable[..., Any]) -> list[Field]:
        """List the options that are no parameters of another function."""
        others = inspect.signature(function).parameters
        return [option for name, option in self.options.items() if name not in others]

    def instance(self, given: object, index: int) -> dict[str, object]:
        """Check one instance; return it with its defaults filled in.

        Raises
        ------
        InstanceError
            With its index and the field, if one is missing, unknown, or of another type.
        """
        if not isinstance(given, dict):
            problem = f"it is {_kind(given)}, not an object with fields"
            raise InstanceError(self.model, index, "", problem)
        for name in given:
            if name not in self.fields and name != INSTANCE_ID:
                known = nearest(str(name), self.fields)
                problem = f"is not one of its fields{known}"
                raise InstanceError(self.model, index, str(name), problem)
        checked = {name: self._value(about, given, index) for name, about in self.fields.items()}
        for about in self.files:
            checked[about.name] = self._placed(about, checked[about.name], index)
        return checked

    def _value(self, about: Field, given: dict[str, object], index: int) -> object:
        """Check one field, or fill it in."""
        if about.name in given:
            value = given[about.name]
            if about in self.files:
                value = files.mapped(about.type, value, _fspath)
            if problem := self._check(about.name, about.type, value):
                raise InstanceError(self.model, index, about.name, problem)
            return value
        if about.name == INSTANCE_ID:
            return str(index)
        if about.required:
            raise InstanceError(self.model, index, about.name, "is missing")
        return about.default

    def _placed(self, about: Field, value: object, index: int) -> object:
        """Look at the files that a field names, and say where each is."""

        def place(path: str) -> dict[str, str]:
            if isinstance(path, files.InImage):
                return {files.IMAGE: str(path)}
            try:
                with files.opened(path, self.within):
                    pass
            except ValueError as error:
                raise InstanceError(self.model, index, about.name, str(error)) from None
            # Links and `..` stay as they are: without its links a path may lead elsewhere.
            return {files.HOST: files.packed(os.path.join(os.getcwd(), path))}  # noqa: PTH109, PTH118

        return files.mapped(about.type, value, place)

    def call(self, given: Mapping[str, object]) -> dict[str, object]:
        """Check the options of a call.

        Raises
        ------
        ConfigurationError
            If one is unknown or of another type, or a required one is missing.
        """
        if not given and not self.options:
            return {}
        for name, value in given.items():
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise ConfigurationError(
                    f"{self.model} has no option {name!r}{nearest(name, self.options)}; "
                    f"it has: {known}"
                )
            if problem := self._check(name, self.options[name].type, value):
                told = shown(value)
                raise ConfigurationError(f"option {name!r} of {self.model} {problem}; it is {told}")
        missing = [o.name for o in self.options.values() if o.required and o.name not in given]
        if missing:
            raise ConfigurationError(f"{self.model} needs the option {missing[0]!r}")
        defaults = {o.name: o.default for o in self.options.values() if not o.required}
        return {**defaults, **given}

    def received(self, value: Any, index: int) -> Any:
        """Check one prediction, and return it: as it is, but for files that are in it.

        Raises
        ------
        OutputError
            With its index, if it is not of the declared type.
        """
        if self._content_reader is not None:
            try:
                value = self._content_reader(value)
            except ValueError as error:
                raise OutputError(self.model, f"the prediction {error}", index) from None
        if problem := self._check("return", self.prediction, value):
            raise OutputError(self.model, f"the prediction {problem}", index)
        return value

    def prepare(self) -> None:
        """Make the check of predictions before there are any, which takes a while."""
        with suppress(ConfigurationError):  # is told when there is one
            self._checker("return", self.prediction)

    def _check(self, name: str, kind: object, value: object) -> str:
        return self._checker(name, kind)(value)

    def _checker(self, name: str, kind: object) -> Callable[[object], str]:
        if name not in self._checks:
            self._checks[name] = checker(kind)
        return self._checks[name]


def checker(kind: Any) -> Callable[[object], str]:
    """Make a function that says what is wrong with a value; nothing if it is of the type."""
    if kind is Any or kind is REQUIRED or kind == JSON:
        return lambda _value: ""
    if kind in _PLAIN:
        return _plain_checker(kind)
    return _full_checker(kind)


def _plain_checker(kind: type) -> Callable[[object], str]:
    """Pass what is exactly of the type; the rest is rare, and worth the 50 ms of an import."""
    rest = cache(lambda: _full_checker(kind))
    return lambda value: "" if type(value) is kind else rest()(value)


def _full_checker(kind: Any) -> Callable[[object], str]:
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError
    from pydantic_core import CoreConfig, SchemaValidator, ValidationError

    try:
        schema = TypeAdapter(kind, config=_config(kind, ConfigDict)).core_schema
    except PydanticUserError as error:
        problem = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"the type {type_name(kind)} cannot be checked: {problem}"
        ) from error
    validator = SchemaValidator(_strictly(schema), CoreConfig(strict=True))

    def check(value: object) -> str:
        try:
            validator.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = "".join(f".{p}" if isinstance(p, str) else f"[{p}]" for p in first["loc"])
            message = first["msg"]
            said = f"{where} {message}" if where else message
            return f"is not {type_name(kind)}: {said[:1].lower()}{said[1:]}"
        return ""

    return check


def shown(value: object) -> str:
    """Write a value into a message; no longer than one can read."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def takes_strings(kind: object) -> bool:
    """Whether a string is a value of the type."""
    return not checker(kind)("")


def type_name(kind: Any) -> str:
    """Write a type as one would in a signature, bounds in words."""
    special = {REQUIRED: "any JSON", Any: "any JSON", None: "None", type(None): "None"}
    if isinstance(kind, Hashable) and kind in special:
        return special[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = ", ".join(filter(None, map(_bound, arguments[1:])))
        name = files.kind_of(kind) or type_name(arguments[0])
        return f"{name} ({bounds})" if bounds else name
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin in {Union, UnionType}:
        return " | ".join(map(type_name, arguments))
    if origin is not None:
        inside = ", ".join("..." if one is Ellipsis else type_name(one) for one in arguments)
        return f"{type_name(origin)}[{inside}]"
    return str(getattr(kind, "__name__", kind))


def _bound(about: object) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(about, n)}"
        for n, sign in signs.items()
        if getattr(about, n, None) is not None
    ]
    return ", ".join(found) or (about if isinstance(about, str) else "")


def _config(kind: object, config: Any) -> Any:
    """Make the configuration of a plain type; a TypedDict brings its own, and may get none."""
    plain = not (isinstance(kind, type) and hasattr(kind, "__annotations__"))
    return config(arbitrary_types_allowed=False) if plain else None


def _strictly(schema: Any) -> Any:
    """Make a schema as strict as JSON is: only declared fields; an array passes for a tuple."""
    if isinstance(schema, list):
        return [_strictly(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strictly(value) for key, value in schema.items()}
    if isinstance(made.get("config"), dict):  # a part's own configuration would undo the whole's
        made["config"]["strict"] = True
    match made.get("type"):
        case "typed-dict":
            made["extra_behavior"] = "forbid"
            made["config"] = {**made.get("config", {}), "strict": True}
        case "tuple" | "set" | "frozenset":
            made["strict"] = False
        case _:
            pass
    return made


def _fspath(path: Any) -> str:
    """Read a path as a string; the path of a file in the image stays one."""
    return path if isinstance(path, str) else os.fsdecode(path)


def _kind(value: object) -> str:
    words = {
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "a boolean",
    }
    return "null" if value is None else words.get(type(value), type(value).__name__)
