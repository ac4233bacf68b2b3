"""What a model is made with, checked before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from annotated_types import Ge

from repro.common.registrable import Registrable
from repro.errors import ConfigurationError
from repro.models import DockerModel, Model, load
from repro.models.lookup import check_load_options

if TYPE_CHECKING:
    from decimal import Decimal

    from repro.catalog import Card


Beams = Annotated[int, Ge(1)]


class Plain:
    """A class that no check knows."""


class Base(DockerModel):
    def __init__(self, image: str | None = None, *, beams: Beams = 1, **common: Any):
        super().__init__(image, **common)


class Sample(Base):
    def __init__(
        self,
        image: str | None = None,
        *,
        mode: Literal["a", "b"] = "a",
        weights: list[float] | None = None,
        scale: float = 1.0,
        anything=None,
        **common: Any,
    ):
        super().__init__(image, **common)


class AncestorStyle(Model):
    def __init__(self, image: str = "sample", device: int = 0, label: str = None):  # noqa: RUF013
        self.given = (image, device, label)


class OfItsOwn(Model):
    def __init__(self, card: Card = None, number: Decimal = 1):
        self.card = card


class Odd(Model):
    def __init__(self, plain: Plain | None = None):
        self.plain = plain


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registrable, "_registries", {Model: {}})
    for cls in (Sample, AncestorStyle, OfItsOwn, Odd):
        Model.register(f"check-{cls.__name__.lower()}")(cls)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "b", "weights": [1, 2.5], "scale": 2, "anything": {1}, "beams": 3},
        {"weights": None, "image": None, "device": -1, "memory": "2g"},
    ],
)
def test_what_the_annotations_allow_passes(options: dict[str, Any]) -> None:
    model = load("check-sample", **options)

    assert isinstance(model, Sample)


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("mode", "c", r"is not Literal\['a', 'b'\]: input should be 'a' or 'b'; it is 'c'"),
        ("weights", "1,2", r"is not list\[float\] | None: .*; it is '1,2'"),
        ("weights", [1, "2"], r"\[1\].* valid number; it is \[1, '2'\]"),
        ("scale", "2", "is not float: input should be a valid number; it is '2'"),
        ("scale", True, "is not float: input should be a valid number; it is True"),
        ("scale", None, "is not float: .*; it is None"),
        ("beams", 0, r"is not int \(≥ 1\): input should be greater than or equal to 1; it is 0"),
        ("beams", 1.0, r"is not int \(≥ 1\): input should be a valid integer; it is 1.0"),
    ],
)
def test_what_they_do_not_allow_is_told_with_option_type_and_value(
    option: str, value: object, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^load option '{option}' of check-sample") as one:
        load("check-sample", **{option: value})
    with pytest.raises(ConfigurationError, match=problem):
        check_load_options("check-sample", Sample, {option: value})
    assert one.value.exit_code == 2


def test_an_option_of_the_class_above_is_known() -> None:
    with pytest.raises(ConfigurationError, match=r"no option 'beam'; did you mean 'beams'"):
        load("check-sample", beam=3)


def test_a_class_in_the_style_of_the_ancestor_is_checked_and_its_defaults_pass() -> None:
    assert load("check-ancestorstyle", label=None, device=1).given == ("sample", 1, None)
    with pytest.raises(ConfigurationError, match=r"'device' of check-ancestorstyle is not int"):
        load("check-ancestorstyle", device="0")


def test_a_type_that_cannot_be_found_or_checked_lets_all_pass() -> None:
    plain = Plain()

    assert load("check-odd", plain=plain).plain is plain
    assert load("check-ofitsown", card=plain, number="x").card is plain
