"""JSON through a real container and back: the same, or refused by name."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from repro.common.jsonlines import MAX_DIGITS, MAX_NESTING
from repro.errors import InstanceError, OutputError
from repro.models.docker_model import DockerModel, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))

PROGRAM = """
from repro_runtime import main

def predict(model, instances):
    return [i["value"] for i in instances]

main(lambda: None, predict)
"""


class Echo(DockerModel):
    """Answers what it is given."""

    def predict(self, value: Any) -> Any:
        return self.answer(value=value)


def echo_in(image: str, command: str) -> DockerModel:
    program = Program(image=image, command=(command, "-c", PROGRAM))
    return type("Echo", (Echo,), {"program": program})(timeout=120)


@pytest.fixture
def echo(bookworm: str) -> Iterator[DockerModel]:
    """A model that answers what it is given, in Python 3.11."""
    with echo_in(bookworm, "python") as model:
        yield model


@pytest.fixture
def echo27(python27: str) -> Iterator[DockerModel]:
    """The same in Python 2.7."""
    with echo_in(python27, "python2.7") as model:
        yield model


@pytest.fixture(params=["2.7", "3.11"])
def either_echo(request: pytest.FixtureRequest) -> DockerModel:
    """The oldest and the newest Python, in turn."""
    return request.getfixturevalue("echo27" if request.param == "2.7" else "echo")


def same(one: object, other: object) -> bool:
    """Tell whether two values are the same in type and every bit, NaN included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("d", one) == struct.pack("d", other)
    return one == other


def assert_echoed(model: DockerModel, values: list[object]) -> None:
    """Send all values at once; each must come back the same."""
    answers = model.predict_batch([{"value": value} for value in values])

    assert len(answers) == len(values)
    for value, answer in zip(values, answers, strict=True):
        assert same(value, answer), (value, answer)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
AWKWARD = st.text(
    st.sampled_from('[]{}"\\/,:0 \n\r\t\0\x1b\x7f\x85é\u2028\u2029\ufeff\uffff😀'), max_size=40
)
FLOATS = st.floats(allow_nan=False)
INTEGERS = st.integers() | st.integers(min_value=-(2**300), max_value=2**300)
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | TEXT | AWKWARD
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | AWKWARD, inner, max_size=4),
    max_leaves=8,
)


@FEW
@given(st.lists(VALUES, min_size=20, max_size=200))
def test_any_values_come_back_the_same(echo: DockerModel, values: list[object]) -> None:
    assert_echoed(echo, values)


@FEW
@given(st.lists(TEXT | AWKWARD, min_size=50, max_size=200))
@example(
    [
        "\0",
        "\u2028",
        "\ufeff",
        "\ufeff\ufeffa",
        "\n",
        "\r\n",
        "\x85",
        '"',
        "\\",
        "\\ud800",
        "\\u0000",
    ]
)
def test_any_texts_come_back_the_same(either_echo: DockerModel, values: list[object]) -> None:
    assert_echoed(either_echo, [*values, dict.fromkeys(values, values)])


@FEW
@given(st.lists(FLOATS, min_size=50, max_size=200))
@example(
    [-0.0, 0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1 / 3, 1e16, 1e22]
)
def test_any_floats_come_back_exactly(either_echo: DockerModel, values: list[object]) -> None:
    assert_echoed(either_echo, [*values, values])


def test_all_of_unicode_but_the_surrogates_comes_back(either_echo: DockerModel) -> None:
    every = [*range(0xD800), *range(0xE000, 0x110000)]
    texts: list[object] = [
        "".join(map(chr, every[start : start + 1000])) for start in range(0, len(every), 1000)
    ]

    assert_echoed(either_echo, [*texts, *map(chr, range(256)), *[{text: 1} for text in texts[:3]]])


def test_whole_numbers_come_back_whatever_their_size(either_echo: DockerModel) -> None:
    sizes = (0, 1, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, 2**64 + 1, 2**70, 10**MAX_DIGITS - 1)

    assert_echoed(either_echo, [sign * size for size in sizes for sign in (1, -1)])


def test_nan_and_the_infinities_come_back_in_python(either_echo: DockerModel) -> None:
    assert_echoed(either_echo, [math.inf, -math.inf, [math.inf, {"a": -math.inf}]])
    nan, nested = either_echo.predict_batch([{"value": math.nan}, {"value": [math.nan]}])
    assert math.isnan(nan)
    assert math.isnan(nested[0])


def test_the_same_instance_many_times_is_answered_as_often(echo: DockerModel) -> None:
    assert_echoed(echo, ["a", "a", "b"] * 100)


def test_nothing_sent_is_answered_by_nothing(echo: DockerModel) -> None:
    assert echo.predict_batch([]) == []
    assert list(echo.predict_stream(iter(()))) == []


def test_empty_values_come_back(either_echo: DockerModel) -> None:
    assert_echoed(either_echo, ["", [], {}, {"": ""}, [[]], None, 0, False])


def test_a_row_of_fifty_megabytes_comes_back(echo: DockerModel) -> None:
    text = ("0123456789abcde\n" * 3_000_000) + "é☃😀" * 200_000

    assert echo.predict(text) == text
    assert len(text.encode()) > 49_000_000


def nested(depth: int) -> object:
    value: object = 0
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def test_nesting_up_to_the_limit_comes_back(either_echo: DockerModel) -> None:
    assert_echoed(either_echo, [nested(MAX_NESTING - 1)])  # the instance around it is one more


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (nested(MAX_NESTING + 1), "is nested deeper than 256"),
        (nested(5_000), "is nested deeper than 256"),
        (10**MAX_DIGITS, "has an integer of more than 4,300 digits"),
        (-(10**MAX_DIGITS), "has an integer of more than 4,300 digits"),
        ("a\ud800", "has a lone surrogate (U+D800)"),
        (["\udfff"], "has a lone surrogate (U+DFFF)"),
        ({"\udc00": 1}, "has a lone surrogate (U+DC00)"),
        ({1, 2}, "is not JSON: object of type set"),
        (b"bytes", "is not JSON: object of type bytes"),
    ],
    ids=[
        *("nested", "deeply nested", "long integer", "long negative integer"),
        *("surrogate", "surrogate in an array", "surrogate as a name", "set", "bytes"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_by_name_on_the_way_in(
    echo: DockerModel, value: object, problem: str
) -> None:
    with pytest.raises(InstanceError) as caught:
        echo.predict_batch([{"value": 1}, {"value": 2}, {"value": value}, {"value": 3}])

    assert (caught.value.model, caught.value.index, caught.value.field) == ("Echo", 2, "value")
    assert caught.value.problem.startswith(problem)


def test_the_instance_counts_as_a_level_of_its_own(echo: DockerModel) -> None:
    with pytest.raises(InstanceError, match=r"instance 1 for 'Echo': .*is nested deeper than 256"):
        echo.predict_batch([{"value": nested(MAX_NESTING - 1)}, {"value": nested(MAX_NESTING)}])


def test_a_lone_surrogate_in_a_text_is_refused_by_name(bookworm: str) -> None:
    class Typed(DockerModel):
        program = Program(image=bookworm, command=("false",))

        def predict(self, text: str) -> str:
            return self.answer(text=text)

    with pytest.raises(InstanceError, match=r"field 'text' has a lone surrogate \(U\+DC80\)"):
        Typed().predict("caf\udc80")


OUTWARDS = """
from repro_runtime import main

def nested(depth):
    value = 0
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value

def predict(model, instances):
    return [eval(i["value"]) for i in instances]

main(lambda: None, predict)
"""


@pytest.mark.parametrize("version", ["2.7", "3.11"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("nested(257)", "is nested deeper than 256"),
        ("10 ** 4300", "4300 digits|4,300 digits"),
        ("-10 ** 4300", "4300 digits|4,300 digits"),
        ("u'a\\ud800'", r"has a lone surrogate \(U\+D800\)"),
        ("{u'\\udfff': 1}", r"has a lone surrogate \(U\+DFFF\)"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_by_name_on_the_way_out(
    request: pytest.FixtureRequest, version: str, value: str, problem: str
) -> None:
    model = request.getfixturevalue("echo27" if version == "2.7" else "echo")
    words = (*model.program.command[:-1], OUTWARDS)
    program = Program(image=model.program.image, command=words)
    outwards = type("Outwards", (Echo,), {"program": program})()

    with pytest.raises(OutputError, match=problem) as caught:
        outwards.predict_batch([{"value": "1"}, {"value": "nested(256)"}, {"value": value}])
    assert (caught.value.model, caught.value.index) == ("Outwards", 2)
