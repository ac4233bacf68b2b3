"""JSON, one value a line: what passes is the same afterwards, what breaks a rule is told which."""

from __future__ import annotations

import json
import math
import re
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repro.common import jsonlines
from repro.common.jsonlines import MAX_DIGITS, MAX_NESTING, JSONRuleError, decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
AWKWARD = st.text(st.sampled_from('[]{}"\\/,:0123456789 \n\t\0é\u2028\ufeff😀'))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**200), max_value=2**200)
    | st.floats(allow_nan=False)
    | TEXT
    | AWKWARD
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT | AWKWARD, inner),
    max_leaves=25,
)


def same(one: object, other: object) -> bool:
    """Tell whether two values are the same in type, order and every bit, NaN included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("d", one) == struct.pack("d", other)
    return one == other


def arrays(depth: int, core: object = 0) -> object:
    """Put arrays and objects around a value, in turn."""
    for level in range(depth):
        core = [core] if level % 2 else {"a": core}
    return core


def depth_of(value: object) -> int:
    """Count how deep a value is nested, by looking at all of it."""
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 0


@settings(deadline=None)
@given(VALUES, st.booleans())
@example(-0.0, True)
@example(5e-324, True)
@example(2**64, True)
@example("\u2028\u2029\ufeff\0\r\n\x85", False)
def test_a_value_is_the_same_after_encoding_and_decoding(value: object, ascii_only: bool) -> None:
    line = encode(value, ascii_only=ascii_only)

    assert same(decode(line), value)
    assert b"\n" not in line
    assert line.isascii() or not ascii_only


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_the_infinities_are_the_same_afterwards(value: float) -> None:
    line = encode([value])

    assert same(decode(line), [value])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_the_infinities_are_refused_where_files_do_not_carry_them(value: float) -> None:
    with pytest.raises(JSONRuleError, match=r"^has NaN or an infinity, .*--allow-nan writes them"):
        encode({"a": [value]}, allow_nan=False)


def test_all_of_unicode_but_the_surrogates_is_the_same_afterwards() -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))

    assert decode(encode(text)) == text
    assert decode(encode(text, ascii_only=False)) == text


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("\ud800", "U+D800"),
        ("a\udfffb", "U+DFFF"),
        (["fine", {"deep": "\udc00\ud800"}], "U+DC00"),
        ({"\udbff": 1}, "U+DBFF"),
    ],
)
def test_a_lone_surrogate_is_refused_by_name(value: object, name: str, ascii_only: bool) -> None:
    with pytest.raises(JSONRuleError, match=f"^has a lone surrogate \\({re.escape(name)}\\)"):
        encode(value, ascii_only=ascii_only)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (rb'"\ud800"', "U+D800"),
        (rb'"\uD800"', "U+D800"),
        (rb'["fine", {"deep": "\udC00\uD800"}]', "U+DC00"),
        (rb'{"\udfff": 1}', "U+DFFF"),
    ],
)
def test_a_lone_surrogate_in_a_line_is_refused_by_name(line: bytes, name: str) -> None:
    with pytest.raises(JSONRuleError, match=f"^has a lone surrogate \\({re.escape(name)}\\)"):
        decode(line)


def test_a_pair_of_surrogates_in_a_line_is_one_character() -> None:
    assert decode(rb'"\ud83d\ude00"') == "😀"
    assert decode(rb'"\\ud83d"') == r"\ud83d"


def test_nesting_is_allowed_up_to_the_limit_in_both_directions() -> None:
    value = arrays(MAX_NESTING)

    assert same(decode(encode(value)), value)


@pytest.mark.parametrize("beyond", [1, 2, 800, 5_000])
def test_nesting_beyond_the_limit_is_refused_in_both_directions(beyond: int) -> None:
    depth = MAX_NESTING + beyond

    with pytest.raises(JSONRuleError, match=r"^is nested deeper than 256$"):
        encode(arrays(depth))
    with pytest.raises(JSONRuleError, match=r"^is nested deeper than 256$"):
        decode(b"[" * depth + b"]" * depth)
    with pytest.raises(JSONRuleError, match=r"^is nested deeper than 256$"):
        decode(b'{"a":' * depth + b"0" + b"}" * depth)


def test_a_million_brackets_that_never_close_are_refused() -> None:
    with pytest.raises(JSONRuleError, match="nested deeper"):
        decode(b"[" * 1_000_000)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("place", ["alone", "in an array", "in an object"])
def test_integers_have_as_many_digits_as_the_limit_and_not_one_more(sign: int, place: str) -> None:
    wrap = {
        "alone": lambda number: number,
        "in an array": lambda number: ["9" * 5000, number],
        "in an object": lambda number: {"1" * 5000: number},
    }[place]
    longest = sign * (10**MAX_DIGITS - 1)
    line = json.dumps(wrap(0)).replace("0", "-" * (sign < 0) + "8" * (MAX_DIGITS + 1)).encode()

    assert same(decode(encode(wrap(longest))), wrap(longest))
    with pytest.raises(JSONRuleError, match=r"^has an integer of more than 4,300 digits$"):
        encode(wrap(sign * 10**MAX_DIGITS))
    with pytest.raises(JSONRuleError, match=r"^has an integer of more than 4,300 digits$"):
        decode(line)


def test_a_float_may_have_more_digits_than_an_integer() -> None:
    assert decode(b"0." + b"3" * 5000) == 1 / 3


def test_a_string_of_many_digits_is_no_long_integer() -> None:
    for text in ("9" * 5000, '"' + "9" * 5000, "\\" + "9" * 5000, '\\"' + "9" * 5000 + '"\\'):
        assert decode(encode([text, {text: 1}])) == [text, {text: 1}]


@settings(deadline=None)
@given(
    st.lists(AWKWARD.map(lambda t: t * 9), max_size=6),
    st.integers(min_value=0, max_value=2 * MAX_NESTING),
    st.booleans(),
)
@example(["[" * 300], 0, False)
@example(['"' + "[" * 300], 255, False)
@example(["\\" + "[" * 300, '\\"'], 256, True)
@example(["\\\\" + "[" * 300, '\\\\"'], 255, True)
def test_brackets_in_strings_never_count_and_brackets_outside_always_do(
    texts: list[str], depth: int, ascii_only: bool
) -> None:
    value: object = [texts, {text: text for text in texts}]
    for level in range(depth):
        text = texts[level % len(texts)] if texts else ""
        value = {text: value} if level % 2 else [text, value, text]
    allowed = depth_of(value) <= MAX_NESTING
    line = json.dumps(value, ensure_ascii=ascii_only).encode()

    if allowed:
        assert same(decode(line), value)
        assert encode(value, ascii_only=ascii_only) == line
    else:
        for attempt in (lambda: decode(line), lambda: encode(value, ascii_only=ascii_only)):
            with pytest.raises(JSONRuleError, match=r"^is nested deeper than 256$"):
                attempt()


@settings(deadline=None)
@given(st.lists(st.sampled_from([*'[]{}"\\,:0 é', "[" * 200, "\\\\", '\\"'])))
def test_a_line_of_rubbish_is_a_value_or_is_refused(pieces: list[str]) -> None:
    line = "".join(pieces).encode()

    try:
        value = decode(line)
    except JSONRuleError:
        return
    assert same(value, json.loads(line))
    assert depth_of(value) <= MAX_NESTING


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_are_refused(line: bytes) -> None:
    try:
        value = decode(line)
    except JSONRuleError:
        return
    assert same(decode(encode(value)), value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", r"^is not JSON: Expecting value: line 1 column 1"),
        (b"1 2", r"^is not JSON: Extra data"),
        (b"{'a': 1}", r"^is not JSON: Expecting property name"),
        (b'{"a": 1', r"^is not JSON: Expecting ',' delimiter"),
        (b'"\n"', r"^is not JSON: Invalid control character"),
        (b"nan", r"^is not JSON: "),
        (b"\xef\xbb\xbf1", r"^is not JSON: .*BOM"),
        (b'"a\xffb"', r"^is not UTF-8: byte 0xff at offset 2$"),
        (b'"\xed\xa0\x80"', r"^is not UTF-8: byte 0xed at offset 1$"),
        (b'"\xc0\x80"', r"^is not UTF-8: byte 0xc0 at offset 1$"),
    ],
)
def test_a_line_that_is_no_json_is_refused_with_the_place(line: bytes, message: str) -> None:
    with pytest.raises(JSONRuleError, match=message):
        decode(line)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, r"^is not JSON: object of type set is not JSON serializable$"),
        (b"bytes", r"^is not JSON: object of type bytes is not JSON serializable$"),
        ([object()], r"^is not JSON: object of type object is not JSON serializable$"),
        ({(1, 2): 3}, r"^is not JSON: keys must be str"),
    ],
)
def test_a_value_that_is_no_json_is_refused_with_its_type(value: object, message: str) -> None:
    with pytest.raises(JSONRuleError, match=message):
        encode(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    ring: list[object] = []
    ring.append(ring)

    with pytest.raises(JSONRuleError, match=r"^is not JSON: circular reference|nested deeper"):
        encode(ring)


def test_a_row_may_be_as_long_as_the_limit_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "MAX_ROW", 2**20)
    longest = "x" * (2**20 - 2)

    assert decode(encode(longest)) == longest
    for attempt in (lambda: encode(longest + "x"), lambda: decode(b'"x' + longest.encode() + b'"')):
        with pytest.raises(JSONRuleError, match=r"^is longer than 1 MiB$"):
            attempt()


def test_the_limits_are_those_that_the_design_names() -> None:
    assert (MAX_NESTING, MAX_DIGITS, jsonlines.MAX_ROW) == (256, 4300, 512 * 2**20)


def test_an_error_is_a_value_error_that_hides_the_librarys_own() -> None:
    with pytest.raises(ValueError, match="is not JSON") as caught:
        decode(b"{")

    assert caught.value.__suppress_context__
