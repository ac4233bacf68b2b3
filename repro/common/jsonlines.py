"""JSON as `repro` allows it, in both directions.

One value a line, and limits that are named when broken.

Strings round-trip exactly or are refused (lone surrogates). Integers may have up to 4,300 digits.
In Python, NaN and infinities round-trip; files carry them only where that was asked for.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_NESTING = 256
MAX_DIGITS = 4300
MAX_ROW = 512 * 2**20  # bytes of one encoded row

JSON = Union[None, bool, int, float, str, "Sequence[JSON]", "Mapping[str, JSON]"]

_LONG_NUMBER = re.compile(rb"\d{%d}" % (MAX_DIGITS + 1))
_LONG_INTEGER = re.compile(rb"(?<![\d.])\d{%d}" % (MAX_DIGITS + 1))
_PLAIN = frozenset((str, int, float, bool, type(None)))
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ROUND = bytes.maketrans(b"[]{}", b"()()")


class JSONRuleError(ValueError):
    """A value or a line breaks a rule of this module; the message names the rule."""


def encode(
    value: object, *, ascii_only: bool = True, allow_nan: bool = True, wrapping: int = 0
) -> bytes:
    """Encode one value as one line, without the line's end.

    Parameters
    ----------
    value : object
        JSON.
    ascii_only : bool
        Write ASCII, so that no encoding can change it; else UTF-8.
    allow_nan : bool
        Write NaN and infinities.
    wrapping : int
        How many levels of the value are ours, and do not count against the limit.

    Raises
    ------
    JSONRuleError
        If the value is not JSON, or beyond a limit.
    """
    try:
        _check_keys(value)
        text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=allow_nan)
        line = text.encode()
        if ascii_only and "\\ud" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise JSONRuleError(_lone_surrogate(error.object[error.start])) from None
    except RecursionError:
        raise JSONRuleError(f"is nested deeper than {MAX_NESTING}") from None
    except JSONRuleError:
        raise
    except (TypeError, ValueError) as error:
        raise JSONRuleError(_not_encodable(error)) from None
    _check_limits(line, MAX_NESTING + wrapping)
    return line


def decode(line: bytes, *, wrapping: int = 0) -> JSON:
    """Decode one line.

    Parameters
    ----------
    line : bytes
        JSON, without the line's end.
    wrapping : int
        How many levels of the value are ours, and do not count against the limit.

    Raises
    ------
    JSONRuleError
        If it is not UTF-8, not one JSON value, or beyond a limit.
    """
    _check_limits(line, MAX_NESTING + wrapping)
    try:
        text = line.decode()
        value: JSON = _DECODER.decode(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise JSONRuleError(
            f"is not UTF-8: byte 0x{line[error.start]:02x} at offset {error.start}"
        ) from None
    except UnicodeEncodeError as error:
        raise JSONRuleError(_lone_surrogate(error.object[error.start])) from None
    except RecursionError:
        raise JSONRuleError(f"is nested deeper than {MAX_NESTING}") from None
    except JSONRuleError:
        raise
    except ValueError as error:
        problem = "it begins with a byte-order mark (BOM)" if line[:3] == BOM_UTF8 else error
        raise JSONRuleError(f"is not JSON: {problem}") from None
    return value


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    """Make an object; of two values under one name, none is the right one."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JSONRuleError(f"has the key {twice!r} twice")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _check_keys(value: object) -> None:
    """Refuse keys that are no strings: two of them could become one."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise JSONRuleError(f"is not JSON: keys must be str, not {key!r}")
        value = list(value.values())
    if isinstance(value, list | tuple) and not _PLAIN.issuperset(map(type, value)):
        for item in value:
            _check_keys(item)


def _check_limits(line: bytes, nesting: int = MAX_NESTING) -> None:
    """Refuse a line that is too long, too deep, or has too long an integer.

    The counts are cheap and can only err upwards; a suspicious line is looked at without its
    strings. Of what is left, the innermost brackets are removed until there are none.
    """
    if len(line) > MAX_ROW:
        raise JSONRuleError(f"is longer than {MAX_ROW // 2**20} MiB")
    deep = line.count(b"[") + line.count(b"{") > nesting
    long = len(line) > MAX_DIGITS and _LONG_NUMBER.search(line)
    if not (deep or long):
        return
    bare = b"0".join(line.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    if long and _LONG_INTEGER.search(bare):
        raise JSONRuleError(f"has an integer of more than {MAX_DIGITS:,} digits")
    brackets = bare.translate(_ROUND, _NO_BRACKETS)
    for _ in range(nesting):
        before = len(brackets)
        brackets = brackets.replace(b"()", b"")
        if len(brackets) == before:
            break
    if b"()" in brackets or brackets.count(b"(") > nesting:
        raise JSONRuleError(f"is nested deeper than {MAX_NESTING}")


def _lone_surrogate(character: str) -> str:
    return f"has a lone surrogate (U+{ord(character):04X}), which no UTF-8 text can hold"


def _not_encodable(error: Exception) -> str:
    message = str(error)
    if "Out of range float" in message:
        return (
            "has NaN or an infinity, which JSON files do not carry; --allow-nan writes them anyway"
        )
    if "integer string conversion" in message:
        return f"has an integer of more than {MAX_DIGITS:,} digits"
    return f"is not JSON: {message[:1].lower()}{message[1:]}"
