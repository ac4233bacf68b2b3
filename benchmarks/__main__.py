"""Measure, print a table, and write a file of JSON: `scripts/bench --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cases import CASES as COLD_CASES
from benchmarks.cases import ROOT
from benchmarks.warm_cases import CASES as WARM_CASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.timing import Figure


CASES = COLD_CASES | WARM_CASES


def main() -> None:
    """Run the benchmarks; what is too slow is shown, and is no failure."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--runs", type=int, default=21, help="how often each command is run")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results.json")
    given = parser.parse_args()
    if unknown := set(given.cases) - set(CASES):
        parser.error(f"there is no case {min(unknown)!r}")
    figures: list[Figure] = []
    missing: dict[str, str] = {}
    for name in given.cases or CASES:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            try:
                figures += CASES[name](Path(folder), given.runs)
            except (subprocess.CalledProcessError, OSError) as error:
                missing[name] = _reason(error)
    _show(figures, missing)
    record = {
        "taken": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": _machine(),
        "figures": [
            {**asdict(figure), "result": figure.result, "holds": figure.holds} for figure in figures
        ],
        "not_measured": missing,
    }
    given.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _show(figures: Sequence[Figure], missing: dict[str, str]) -> None:
    words = {True: "holds", False: "FAILS", None: ""}
    row = "{:44} {:>12} {:>12} {:>9} {:>8}  {:6} {}\n".format
    sys.stdout.write(row("what", "measured", "floor", "result", "must", "", "floor is"))
    for one in figures:
        must = "" if one.must is None else f"{'≥' if one.at_least else '≤'} {one.must:g}"
        values = f"{one.value:.4g} {one.unit}", f"{one.floor_value:.4g} {one.unit}"
        sys.stdout.write(
            row(one.name, *values, f"{one.result:.4g}", must, words[one.holds], one.floor)
        )
    for name, reason in missing.items():
        sys.stdout.write(f"{name}: not measured: {reason}\n")


def _reason(error: subprocess.CalledProcessError | OSError) -> str:
    if isinstance(error, OSError):
        return str(error)
    said = (error.stderr or b"").decode(errors="replace").strip()
    return f"{' '.join(map(str, error.cmd[:3]))} … ended with status {error.returncode}: {said}"


def _machine() -> dict[str, object]:
    about = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    return {**about, "system": platform.platform(), "python": platform.python_version()}


if __name__ == "__main__":
    main()
