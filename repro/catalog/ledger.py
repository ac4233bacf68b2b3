"""The ledger, `ledger.json`: what we measured against each claim of a package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from repro.common.io import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from repro.common.jsonlines import JSON


def write_ledger(folder: Path, about: Mapping[str, JSON], results: Sequence[JSON]) -> Path:
    """Write a package's ledger; what it said before is replaced."""
    path = folder / "ledger.json"
    content = {**about, "claims": results}
    with whole_file(path) as file:
        file.write(json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")
    return path
