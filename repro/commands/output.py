"""What commands print: data to standard output, talk to standard error."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from repro.common.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from repro.catalog import Card
    from repro.errors import CardError

_COLOURS = {
    **dict.fromkeys(
        (
            *[
                "reproduced",
                "passed",
                "built",
                "rebuilt",
                "pulled",
                "present",
                "ok",
                "locked",
                "published",
            ],
        ),
        "green",
    ),
    **dict.fromkeys(("differs", "not run", "note", "warning", "skipped"), "yellow"),
    **dict.fromkeys(("error", "failed", "wrong", "refused"), "red"),
}

_NOISE = re.compile(
    r"^([\w.-]+: )?( ?--+>|Removing intermediate|Step \d+/\d+ : LABEL"
    r"|STEP \d+/\d+: LABEL|COMMIT |[0-9a-f]{64}$)"
)  # of a build: its bookkeeping

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
unlimited_option = click.option(
    "--allow-unlimited",
    is_flag=True,
    help="Run also where the engine cannot limit memory and processes.",
)


def chosen(
    ctx: click.Context, packages: Sequence[str], *, everything: bool
) -> tuple[list[Card], list[CardError]]:
    """Read the cards of the packages that a command line names, or of all.

    Of all, those that are not right are told apart.
    """
    from repro.catalog import find_package, read_cards

    if bool(packages) == everything:
        problem = "not both" if everything else "or give --all"
        raise click.UsageError(f"name packages, {problem}", ctx)
    broken: list[CardError] = []
    if everything:
        return list(read_cards(broken.append)), broken
    return [find_package(package) for package in dict.fromkeys(packages)], broken


def print_json(value: object) -> None:
    """Print one JSON value; on a terminal, nothing in it can move the cursor."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    click.echo(printable(text) if sys.stdout.isatty() else text)


def as_dict(result: object) -> dict[str, object]:
    """Make a dict of a dataclass's value."""
    from dataclasses import asdict

    return asdict(result)  # type: ignore[call-overload, no-any-return]


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: numbers to the right; on a terminal, no wider than it."""
    cells = [[printable(str(cell)) for cell in row] for row in (columns, *rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    if sys.stdout.isatty():
        widths = _fitting(widths, shutil.get_terminal_size().columns)
    numeric = [all(_is_number(cell) for cell in column) for column in zip(*cells[1:], strict=True)]
    lines = []
    for index, row in enumerate(cells):
        padded = [
            _pad(cell, width, right=right)
            for cell, width, right in zip(row, widths, numeric or [False] * len(row), strict=True)
        ]
        padded[-1] = padded[-1].rstrip()
        if _styled():
            padded = [click.style(c, bold=True) if index == 0 else _coloured(c) for c in padded]
        lines.append("  ".join(padded))
    click.echo("\n".join(lines))  # at once: each echo flushes


def say(message: str) -> None:
    """Tell the user something that is not data."""
    click.echo(message, err=True)


@contextmanager
def progress(
    description: str, *, quiet: bool = False
) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar of (done, total) while the block runs, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def building(package: str) -> Iterator[Callable[[str], None]]:
    """Show a build: its steps as they begin on a terminal, all its lines elsewhere."""
    if not sys.stderr.isatty():
        head = f"[{package}] " if package else ""
        yield lambda line: None if _NOISE.search(line) else say(head + line)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    head = f"{package}: " if package else ""
    with console.status(f"{head}preparing") as status:

        def show(line: str) -> None:
            if not _NOISE.search(line):  # a Text, as builds print what reads as markup
                status.update(Text(f"{head}{line}"[: console.width - 4]))

        yield show


def _fitting(widths: list[int], available: int) -> list[int]:
    """Narrow the widest columns until a row fits; none below 8, and never the names in front."""
    first, *fitting = widths
    while first + sum(fitting) + 2 * len(fitting) > available and max(fitting, default=0) > 8:
        fitting[fitting.index(max(fitting))] -= 1
    return [first, *fitting]


def _styled() -> bool:
    """Whether colours are welcome; what is no terminal gets none from click."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _pad(cell: str, width: int, *, right: bool) -> str:
    while _width(cell) > width:
        cell = cell[:-2] + "…"
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space


def _width(text: str) -> int:
    """Count the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("+-").replace(".", "", 1).isdigit()


def _coloured(cell: str) -> str:
    colour = _COLOURS.get(cell.strip().partition(",")[0])
    return click.style(cell, fg=colour) if colour else cell
