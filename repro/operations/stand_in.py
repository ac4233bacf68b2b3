"""What a new package answers until it has its program: something true of the first field."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from repro.catalog.places import template
from repro.operations.draft import CONTENT, FILES

if TYPE_CHECKING:
    from repro.operations.draft import Draft

_SAMPLES: dict[str, Any] = {"str": "some text", "int": 3, "float": 0.5, "bool": True}


@dataclass(frozen=True)
class StandIn:
    """What it answers: in words, as an expression of Python, and for the sample of the field."""

    words: str
    code: str
    value: Any


def stand_in(draft: Draft) -> StandIn:
    """Make the stand-in of a draft."""
    name, kind = next(iter(draft.types.items()))
    returns = draft.returns
    inner = re.sub(r"^(list\[|dict\[str, )(\w+)\]$", r"\2", returns)
    one = _text(name, kind) if inner in {"str", CONTENT} else _number(name, kind, inner)
    if returns == CONTENT:
        data = one.value.encode()
        seen = {"bytes": len(data), "sha256": sha256(data).hexdigest(), "suffix": ".txt"}
        return StandIn(f"a file with {one.words}", f'content({one.code}.encode(), ".txt")', seen)
    if returns.startswith("list["):
        return StandIn(f"a list with {one.words}", f"[{one.code}]", [one.value])
    if returns.startswith("dict["):
        return StandIn(
            f"a table with {one.words}", f'{{"stand-in": {one.code}}}', {"stand-in": one.value}
        )
    return one


def sample(kind: str) -> Any:
    """Give a value of a field's type; that of a file is its path in the package."""
    if kind in FILES:
        return f"examples/{FILES[kind]}"
    if kind.startswith("list["):
        return [_SAMPLES[kind[5:-1]]]
    if kind.startswith("dict["):
        return {"key": _SAMPLES[kind[10:-1]]}
    return _SAMPLES[kind]


def _text(name: str, kind: str) -> StandIn:
    field, value = f'i["{name}"]', sample(kind)
    if kind == "str":
        return StandIn(f"`{name}` itself", field, value)
    if kind in FILES:
        return StandIn(f"the name of the file `{name}`", f"os.path.basename({field})", FILES[kind])
    return StandIn(f"`{name}` as JSON", f"json.dumps({field})", json.dumps(value))


def _number(name: str, kind: str, returns: str) -> StandIn:
    field, value = f'i["{name}"]', sample(kind)
    if kind in FILES:
        size = template(f"examples/{FILES[kind]}").stat().st_size
        found = StandIn(f"the size of the file `{name}`", f"os.path.getsize({field})", size)
    elif isinstance(value, (str, list, dict)):
        found = StandIn(f"the length of `{name}`", f"len({field})", len(value))
    else:
        found = StandIn(f"the whole part of `{name}`", f"int({field})", int(value))
    if returns == "float":
        return StandIn(found.words, f"float({found.code})", float(found.value))
    if returns == "bool":
        return StandIn(f"whether {found.words} is above 0", f"{found.code} > 0", found.value > 0)
    return found
