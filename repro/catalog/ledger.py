"""The ledger, `ledger.json`: what we measured of a package, and on what.

Its keys are:

- ``package``, ``version``, ``card_sha256``: of the card;
- ``images``: by name, ``id``, ``context`` (the digest of what it was built from) and
  ``bytes_added``, what it adds to its base, with three digits;
- ``models``: by name, with two digits, ``load_seconds``, as the program says; ``first_seconds``
  to the first answer, with the container's start; ``row_seconds``, the median of single rows of the
  examples, sent after that;
- ``repro``, ``engine``: versions; ``machine``, ``processor``, ``cores``; ``date``;
- ``claims``: each with its value and verdict.

A ledger that was written before there were costs has neither ``models`` nor ``bytes_added``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from repro.common.io import whole_file
from repro.errors import DataFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from repro.catalog.card import Card
    from repro.common.jsonlines import JSON

NAME = "ledger.json"


def write_ledger(folder: Path, about: Mapping[str, JSON], results: Sequence[JSON]) -> Path:
    """Write a package's ledger; what it said before is replaced."""
    path = folder / NAME
    content = {**about, "claims": results}
    with whole_file(path) as file:
        file.write(json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")
    return path


def read_ledger(folder: Path) -> dict[str, Any]:
    """Read a package's ledger; empty if there is none.

    Raises
    ------
    DataFileError
        If it cannot be read, or is no ledger.
    """
    path = folder / NAME
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DataFileError(str(path), error.strerror or str(error)) from error
    except ValueError as error:
        raise DataFileError(str(path), f"is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataFileError(str(path), "is no ledger")
    return found


def costs_of(card: Card, model: str) -> dict[str, Any]:
    """Tell what a model of a package costs, and on which machine; empty if that is not known.

    What was measured of another version of the package is not told.
    """
    ledger = read_ledger(card.folder)
    if ledger.get("version") != card.version:
        return {}
    image = card.models[model].image
    suffix = f"/{card.package}{'-' if image else ''}{image}:{card.version}"
    about: dict[str, Any] = next(
        (v for k, v in ledger.get("images", {}).items() if k.endswith(suffix)), {}
    )
    costs = dict(ledger.get("models", {}).get(model, {}))
    costs |= {key: about[key] for key in ("bytes_added",) if key in about}
    where = {key: ledger[key] for key in ("machine", "processor", "cores") if ledger.get(key)}
    return {**costs, **where} if costs else {}
