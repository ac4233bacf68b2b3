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

from benchmarks.cases import CASES, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.timing import Figure


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
        "figures": [{**asdict(figure), "holds": figure.holds} for figure in figures],
        "not_measured": missing,
    }
    given.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _show(figures: Sequence[Figure], missing: dict[str, str]) -> None:
    words = {True: "holds", False: "TOO SLOW", None: ""}
    row = "{:28} {:>9} {:>9} {:>7} {:>7}  {:9} {}\n".format
    sys.stdout.write(row("command", "ms", "floor", "ratio", "must", "", "floor is"))
    for one in figures:
        must = "" if one.must is None else f"≤ {one.must:g}"
        times = f"{one.milliseconds:.1f}", f"{one.floor_milliseconds:.1f}", f"{one.ratio:.2f}"
        sys.stdout.write(row(one.name, *times, must, words[one.holds], one.floor))
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
