"""Classes by name: one registry for a base and all below it, and what is no name."""

from __future__ import annotations

from abc import ABC
from collections import OrderedDict

import pytest

from repro.common.registrable import Registrable
from repro.errors import ConfigurationError, UnknownNameError
from repro.models import Model


@pytest.fixture(autouse=True)
def _registries_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what is registered outside alone."""
    copies = {root: dict(names) for root, names in Registrable._registries.items()}
    monkeypatch.setattr(Registrable, "_registries", copies)


class Shape(Registrable):
    def __init__(self, size: int = 1) -> None:
        self.size = size

    @classmethod
    def of_size_seven(cls) -> Shape:
        return cls(7)


class Round(Shape):
    pass


class Fruit(Registrable):
    pass


def test_a_class_is_found_by_the_name_it_registered() -> None:
    @Shape.register("square")
    class Square(Shape):
        pass

    assert Shape.by_name("square") is Square
    assert Shape.resolve_class_name("square") == (Square, None)
    assert Shape.by_name("square")(3).size == 3


def test_what_a_class_below_registers_the_base_finds() -> None:
    @Round.register("ball")
    class Ball(Round):
        pass

    @Shape.register("disc")
    class Disc(Round):
        pass

    assert Shape.by_name("ball") is Round.by_name("ball") is Ball.by_name("ball") is Ball
    assert Round.by_name("disc") is Disc
    assert Shape.list_available() == Round.list_available() == ["ball", "disc"]


def test_models_and_the_models_below_them_have_one_registry() -> None:
    class Answerer(Model):
        pass

    @Answerer.register("asked-2020")
    class Asked(Answerer):
        pass

    assert Model.by_name("asked-2020") is Asked
    assert Asked.name == "asked-2020"
    assert "asked-2020" in Model.list_available()


def test_two_bases_do_not_see_each_other() -> None:
    Shape.register("orange")(Round)
    Fruit.register("orange")(Fruit)

    assert (Shape.by_name("orange"), Fruit.by_name("orange")) == (Round, Fruit)
    assert Fruit.list_available() == ["orange"]


def test_a_base_with_another_parent_has_a_registry_of_its_own() -> None:
    class Sweet(ABC, Registrable):
        pass

    class Sour(ABC, Registrable):
        pass

    Sweet.register("cake")(Sweet)

    assert Sweet.list_available() == ["cake"]
    assert Sour.list_available() == []


def test_a_class_with_several_parents_registers_with_its_base() -> None:
    class Mixed(OrderedDict, Round):  # type: ignore[type-arg]
        pass

    Mixed.register("mixed")(Mixed)

    assert Shape.by_name("mixed") is Mixed


def test_the_name_of_a_constructor_is_called_on_the_class() -> None:
    @Shape.register("seven", constructor="of_size_seven")
    class Seven(Shape):
        pass

    made = Shape.by_name("seven")()

    assert (type(made), made.size) == (Seven, 7)
    assert Shape.resolve_class_name("seven") == (Seven, "of_size_seven")


def test_an_importable_class_is_found_by_its_path() -> None:
    assert Registrable.by_name("repro.models.model.Model") is Model
    assert Model.by_name("repro.models.hutto2014.VADER").__name__ == "VADER"


@pytest.mark.parametrize(
    "name",
    [
        "collections.OrderedDict",  # no shape
        "repro.models.model.Model",  # no shape either
        "repro.common.registrable.import_module",  # no class
        "repro.common.registrable.Nothing",
        "repro.nothing.Nothing",
        "nothing",
        "",
        ".",
        "..nothing",
        ".nothing.Nothing",
        "nothing.",
    ],
)
def test_what_leads_to_no_class_of_the_kind_is_unknown(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"^there is no Shape called "):
        Shape.by_name(name)


def test_the_nearest_names_are_told() -> None:
    Shape.register("square")(Round)

    with pytest.raises(
        UnknownNameError, match=r"no Shape called 'sqare'; did you mean 'square'\?$"
    ):
        Shape.by_name("sqare")


def test_a_name_is_given_once() -> None:
    Shape.register("square")(Round)

    with pytest.raises(
        ConfigurationError,
        match=r"^cannot register .*\.Shape as 'square': .*\.Round has that name$",
    ):
        Shape.register("square")(Shape)
    assert Shape.by_name("square") is Round


def test_a_class_may_register_again_as_a_module_that_is_reloaded_does() -> None:
    def again() -> type[Shape]:
        @Shape.register("square")
        class Square(Shape):
            pass

        return Square

    again()
    second = again()

    assert Shape.by_name("square") is second


def test_a_name_may_be_taken_over_on_purpose() -> None:
    Shape.register("square")(Round)
    Shape.register("square", exist_ok=True)(Shape)

    assert Shape.by_name("square") is Shape


@pytest.mark.parametrize("base", [Shape, Model])
def test_the_arguments_of_register_may_be_given_by_position(base: type[Registrable]) -> None:
    """As the ancestor's could."""
    base.register("cube-2020")(type("First", (base,), {}))
    second = type("Second", (base,), {"made": classmethod(lambda cls: "made")})

    base.register("cube-2020", "made", True)(second)

    assert base.by_name("cube-2020")() == "made"


def test_the_default_comes_first() -> None:
    class Colour(Registrable):
        default_implementation = "red"

    for name in ("blue", "red", "green"):
        Colour.register(name)(Colour)

    assert Colour.list_available() == ["red", "blue", "green"]


def test_a_default_that_is_not_registered_is_told() -> None:
    class Taste(Registrable):
        default_implementation = "salty"

    with pytest.raises(
        ConfigurationError, match="the default implementation 'salty' of Taste is not"
    ):
        Taste.list_available()


def test_a_model_keeps_the_name_it_gives_itself() -> None:
    @Model.register("second-2020")
    class Named(Model):
        name = "first-2020"

    assert Named.name == "first-2020"
    assert Model.by_name("second-2020") is Named


def test_a_model_below_a_named_one_gets_a_name_of_its_own() -> None:
    @Model.register("one-2020")
    class One(Model):
        pass

    @Model.register("two-2020")
    class Two(One):
        pass

    assert (One.name, Two.name) == ("one-2020", "two-2020")
