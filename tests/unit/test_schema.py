"""The schema of a model is the signature of its `predict`: what it refuses, and in which words."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from annotated_types import Ge, Gt, Interval, Len, Lt
from typing_extensions import NotRequired, TypedDict

from repro.errors import ConfigurationError, InstanceError, OutputError
from repro.models.schema import Schema, type_name

Share = Annotated[float, Interval(ge=0, le=1)]


class Sentiment(TypedDict):
    """A prediction as models declare them."""

    compound: Annotated[float, Interval(ge=-1, le=1)]
    words: int
    language: NotRequired[str]


class Report(TypedDict):
    """One prediction in another."""

    best: Sentiment
    others: list[Sentiment]


class Example:
    """Whose `predict` has a parameter of each sort."""

    def predict(
        self,
        text: str,
        weight: float = 0.5,
        labels: list[str] | None = None,
        *,
        language: Literal["de", "en"] = "en",
        top: Annotated[int, Ge(1)] = 1,
        **others: Any,
    ) -> Sentiment: ...


SCHEMA = Schema.of("example", Example.predict)


def taking(kind: object) -> Schema:
    """Make the schema of a model whose one field, and whose prediction, is of a type."""

    def predict(self: object, value: object) -> object: ...

    predict.__annotations__ = {"value": kind, "return": kind}
    return Schema.of("taker", predict)


def problem_of(kind: object, value: object) -> str:
    """Tell what is wrong with a value, as a field as well as as a prediction; or nothing."""
    schema = taking(kind)
    try:
        schema.received(value, 7)
    except OutputError as error:
        with pytest.raises(InstanceError) as refused:
            schema.instance({"value": value}, 7)
        assert error.args == ("taker", f"the prediction {refused.value.problem}", 7)  # noqa: PT017
        assert refused.value.args == ("taker", 7, "value", refused.value.problem)
        return refused.value.problem
    assert schema.instance({"value": value}, 7)["value"] is value
    return ""


def test_what_can_be_given_by_position_is_a_field_and_what_is_keyword_only_is_an_option() -> None:
    assert list(SCHEMA.fields) == ["text", "weight", "labels"]
    assert list(SCHEMA.options) == ["language", "top"]
    assert SCHEMA.prediction is Sentiment
    assert [field.required for field in SCHEMA.fields.values()] == [True, False, False]


def test_a_missing_field_is_refused_by_name() -> None:
    with pytest.raises(
        InstanceError, match="instance 3 for 'example': field 'text' is missing"
    ) as e:
        SCHEMA.instance({"weight": 1.0}, 3)

    assert (e.value.model, e.value.index, e.value.field) == ("example", 3, "text")


def test_an_unknown_field_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InstanceError) as caught:
        SCHEMA.instance({"text": "a", "wieght": 1.0}, 12)

    assert (caught.value.index, caught.value.field) == (12, "wieght")
    assert "instance 12" in str(caught.value)
    assert "'wieght' is not one of its fields; did you mean 'weight'?" in str(caught.value)


def test_an_unknown_field_that_is_near_nothing_is_refused_without_a_guess() -> None:
    with pytest.raises(InstanceError, match="field 'zzz' is not one of its fields; `repro info"):
        SCHEMA.instance({"text": "a", "zzz": 1.0}, 0)


@pytest.mark.parametrize("name", ["language", "top", "others", "self", "model"])
def test_neither_an_option_nor_self_nor_what_kwargs_would_take_is_a_field(name: str) -> None:
    with pytest.raises(InstanceError, match=f"field '{name}' is not one of its fields"):
        SCHEMA.instance({"text": "a", name: "de"}, 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "it is null"),
        ([{"text": "a"}], "it is an array"),
        ("text", "it is a string"),
        (5, "it is a number"),
        (5.5, "it is a number"),
        (True, "it is a boolean"),
    ],
)
def test_an_instance_that_is_no_object_is_refused_by_its_kind(given: object, said: str) -> None:
    with pytest.raises(InstanceError) as caught:
        SCHEMA.instance(given, 4)

    assert caught.value.problem == f"{said}, not an object with fields"
    assert caught.value.field == ""
    assert "instance 4 for 'example': it is" in str(caught.value)


def test_defaults_are_filled_in_the_order_of_the_signature() -> None:
    instance = SCHEMA.instance({"labels": ["x"], "text": "a"}, 0)

    assert list(instance.items()) == [("text", "a"), ("weight", 0.5), ("labels", ["x"])]


def test_what_was_given_is_passed_on_as_the_object_that_it_is_and_left_alone() -> None:
    labels = ["x"]
    given = {"text": "a", "weight": 1, "labels": labels}
    instance = SCHEMA.instance(given, 0)

    assert instance["labels"] is labels
    assert type(instance["weight"]) is int
    assert instance is not given
    assert given == {"text": "a", "weight": 1, "labels": ["x"]}


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (str, 5, "is not str: input should be a valid string"),
        (str, None, "is not str: input should be a valid string"),
        (str, b"a", "is not str: input should be a valid string"),
        (int, "5", "is not int: input should be a valid integer"),
        (int, 5.0, "is not int: input should be a valid integer"),
        (int, True, "is not int: input should be a valid integer"),
        (float, "5", "is not float: input should be a valid number"),
        (float, True, "is not float: input should be a valid number"),
        (float, None, "is not float: input should be a valid number"),
        (bool, 1, "is not bool: input should be a valid boolean"),
        (bool, "true", "is not bool: input should be a valid boolean"),
        (float | None, True, "is not float | None: input should be a valid number"),
        (list[str], ["a", 5], "is not list[str]: [1] Input should be a valid string"),
        (list[str], "ab", "is not list[str]: input should be a valid list"),
        (list[str], {"a": "b"}, "is not list[str]: input should be a valid list"),
        (list[float], [1, True], "is not list[float]: [1] Input should be a valid number"),
        (
            dict[str, float],
            {"a": True},
            "is not dict[str, float]: .a Input should be a valid number",
        ),
        (
            dict[str, float],
            {"a": "1"},
            "is not dict[str, float]: .a Input should be a valid number",
        ),
        (tuple[float, str], [1], "is not tuple[float, str]: [1] Field required"),
        (tuple[float, str], [1, 2], "is not tuple[float, str]: [1] Input should be a valid string"),
        (
            tuple[float, str],
            [True, "a"],
            "is not tuple[float, str]: [0] Input should be a valid num",
        ),
        (tuple[float, str], [1, "a", "b"], "is not tuple[float, str]: tuple should have at most 2"),
        (Literal["a", "b"], "c", "is not Literal['a', 'b']: input should be 'a' or 'b'"),
        (Share, 1.5, "is not float (≥ 0, ≤ 1): input should be less than or equal to 1"),
        (Share, -1, "is not float (≥ 0, ≤ 1): input should be greater than or equal to 0"),
        (Share, "0.5", "is not float (≥ 0, ≤ 1): input should be a valid number"),
        (Share, True, "is not float (≥ 0, ≤ 1): input should be a valid number"),
        (Share, math.nan, "is not float (≥ 0, ≤ 1): input should be"),
        (Annotated[int, Gt(0), Lt(10)], 10, "is not int (> 0, < 10): input should be less than 10"),
        (Annotated[str, Len(1)], "", "is not str: string should have at least 1 character"),
        (None, 0, "is not None: input should be None"),
    ],
)
def test_a_value_of_another_type_is_refused_and_nothing_is_converted(
    kind: object, value: object, said: str
) -> None:
    assert problem_of(kind, value).startswith(said)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, ""),
        (str, "é\0\u2028\ufeff😀"),
        (int, 2**70),
        (int, -(10**4299)),
        (float, 5),
        (float, 2**64),
        (float, -0.0),
        (float, math.nan),
        (float, -math.inf),
        (bool, False),
        (Any, {"whatever": [None, 1, "a"]}),
        (Share, 0),
        (Share, 1.0),
        (Optional[str], None),  # noqa: UP045
        (Optional[str], "a"),  # noqa: UP045
        (str | None, None),
        (Union[int, str], 5),  # noqa: UP007
        (list[str], []),
        (list[str], ["a", "b"]),
        (list[list[float]], [[1, 2.5], []]),
        (tuple[float, str], [1, "a"]),
        (tuple[float, ...], [1, 2.5, 3]),
        (dict[str, float], {"a": 1, "b": 2.5}),
        (dict[str, list[int]], {"a": [1]}),
        (Literal["a", 5], 5),
        (Sentiment, {"compound": 0, "words": 5}),
        (Sentiment, {"compound": -1.0, "words": 5, "language": "de"}),
        (Report, {"best": {"compound": 0.5, "words": 1}, "others": []}),
    ],
)
def test_a_value_of_the_type_passes_as_it_is(kind: object, value: object) -> None:
    assert problem_of(kind, value) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"compound": 0.5}, ".words Field required"),
        ({"words": 5}, ".compound Field required"),
        ({"compound": 0.5, "words": 5, "score": 1}, ".score Extra inputs are not permitted"),
        ({"compound": 1.5, "words": 5}, ".compound Input should be less than or equal to 1"),
        ({"compound": "0.5", "words": 5}, ".compound Input should be a valid number"),
        ({"compound": True, "words": 5}, ".compound Input should be a valid number"),
        ({"compound": 0.5, "words": "5"}, ".words Input should be a valid integer"),
        ({"compound": 0.5, "words": 5.0}, ".words Input should be a valid integer"),
        ({"compound": 0.5, "words": True}, ".words Input should be a valid integer"),
        ({"compound": 0.5, "words": 5, "language": None}, ".language Input should be a valid str"),
        ([0.5, 5], "input should be a valid dictionary"),
        (None, "input should be a valid dictionary"),
    ],
)
def test_a_typed_dict_is_as_strict_as_its_fields_and_has_no_others(
    value: object, said: str
) -> None:
    assert problem_of(Sentiment, value).startswith(f"is not Sentiment: {said}")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            {"best": {"compound": 2, "words": 1}, "others": []},
            ".best.compound Input should be less",
        ),
        ({"best": {"compound": "1", "words": 1}, "others": []}, ".best.compound Input should be a"),
        ({"best": {"compound": 1}, "others": []}, ".best.words Field required"),
        (
            {"best": {"compound": 1, "words": 1}, "others": [{"compound": 1, "words": 1, "x": 1}]},
            ".others[0].x Extra inputs are not permitted",
        ),
        (
            {"best": {"compound": 1, "words": 1}, "others": [{"compound": 1, "words": "1"}]},
            ".others[0].words Input should be a valid integer",
        ),
    ],
)
def test_a_typed_dict_in_another_is_as_strict(value: object, said: str) -> None:
    assert problem_of(Report, value).startswith(f"is not Report: {said}")


def test_a_typed_dict_in_a_list_is_as_strict() -> None:
    said = problem_of(
        list[Sentiment], [{"compound": 0.5, "words": 5}, {"compound": "0", "words": 5}]
    )

    assert said.endswith(": [1].compound Input should be a valid number")


def test_a_parameter_without_an_annotation_takes_anything() -> None:
    def predict(self, anything): ...

    schema = Schema.of("model", predict)

    assert schema.instance({"anything": [object]}, 0) == {"anything": [object]}
    assert schema.received(object, 0) is object
    assert schema.fields["anything"].type_name == "any JSON"


def test_an_options_value_is_as_strict_as_a_fields() -> None:
    assert SCHEMA.call({"language": "de", "top": 2}) == {"language": "de", "top": 2}
    with pytest.raises(ConfigurationError) as caught:
        SCHEMA.call({"top": "2"})
    assert str(caught.value).startswith("option 'top' of example is not int (≥ 1): ")
    assert str(caught.value).endswith("; it is '2'")
    with pytest.raises(ConfigurationError, match=r"; it is 'x{58}…$"):
        SCHEMA.call({"top": "x" * 1000})
    with pytest.raises(ConfigurationError, match="option 'top' of example is not int"):
        SCHEMA.call({"top": True})
    with pytest.raises(ConfigurationError, match=r"option 'language' of example .* 'de' or 'en'"):
        SCHEMA.call({"language": "fr"})


@pytest.mark.parametrize("name", ["text", "others", "tpo"])
def test_an_unknown_option_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SCHEMA.call({name: 1})

    assert f"example has no option '{name}'" in str(caught.value)
    assert str(caught.value).endswith("it has: language, top")
    assert ("did you mean 'top'" in str(caught.value)) == (name == "tpo")


def test_an_option_without_a_default_must_be_given() -> None:
    def predict(self, text: str, *, language: str, top: int = 1) -> str: ...

    schema = Schema.of("model", predict)

    assert schema.call({"language": "de"})["language"] == "de"
    with pytest.raises(ConfigurationError, match=r"^model needs the option 'language'$"):
        schema.call({"top": 1})


def test_the_defaults_of_options_are_filled_in_as_predict_itself_would() -> None:
    assert SCHEMA.call({"top": 2}) == {"language": "en", "top": 2}


def test_an_instance_id_passes_and_is_not_handed_on_where_predict_does_not_take_it() -> None:
    instance = SCHEMA.instance({"instance_id": "row-5", "text": "a"}, 0)

    assert "instance_id" not in instance
    assert instance["text"] == "a"


def test_an_instance_id_is_handed_on_where_predict_takes_it() -> None:
    def predict(self, instance_id: str, text: str) -> str: ...

    schema = Schema.of("model", predict)

    given = {"instance_id": "row-5", "text": "a"}
    assert schema.instance(given, 0) == given
    with pytest.raises(InstanceError, match="field 'instance_id' is not str"):
        schema.instance({"instance_id": 5, "text": "a"}, 0)


def test_a_missing_instance_id_is_the_rows_number_where_predict_takes_it() -> None:
    def predict(self, instance_id: str, text: str) -> str: ...

    schema = Schema.of("model", predict)

    assert schema.instance({"text": "a"}, 41) == {"instance_id": "41", "text": "a"}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (str, "str"),
        (float, "float"),
        (Any, "any JSON"),
        (None, "None"),
        (list[str], "list[str]"),
        (dict[str, list[float]], "dict[str, list[float]]"),
        (tuple[float, ...], "tuple[float, ...]"),
        (str | None, "str | None"),
        (Optional[str], "str | None"),  # noqa: UP045
        (Union[int, str], "int | str"),  # noqa: UP007
        (Literal["a", "b"], "Literal['a', 'b']"),
        (Sentiment, "Sentiment"),
        (Share, "float (≥ 0, ≤ 1)"),
        (Annotated[int, Gt(0), Lt(10)], "int (> 0, < 10)"),
        (Annotated[float, Ge(0.5)], "float (≥ 0.5)"),
        (Annotated[str, "a path in the image"], "str (a path in the image)"),
        (Annotated[str, object()], "str"),
        (Annotated[list[str], "sentences"], "list[str] (sentences)"),
    ],
)
def test_a_type_is_named_as_one_would_write_it(kind: object, text: str) -> None:
    assert taking(kind).fields["value"].type_name == text
    assert type_name(kind) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (list[Sentiment], "list[Sentiment]"),
        (list[Share], "list[float (≥ 0, ≤ 1)]"),
        (Share | None, "float (≥ 0, ≤ 1) | None"),
    ],
)
def test_a_type_within_a_type_is_named_as_briefly(kind: object, text: str) -> None:
    assert type_name(kind) == text
