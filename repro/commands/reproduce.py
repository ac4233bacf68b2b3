"""``repro reproduce``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from repro.commands.completion import model_names, package_names
from repro.commands.output import json_option, print_json, print_table, say, unlimited_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.operations.reproduction import ClaimResult

LONGEST = 36  # characters of a value or a subject in the table


@click.command(short_help="Re-derive what was published.")
@click.argument("packages", nargs=-1, required=True, shell_complete=package_names)
@click.option(
    "--model", default=None, shell_complete=model_names, help="Only claims about this model."
)
@click.option(
    "--source", default=None, help="Only claims whose source has this text, such as 'Table 4'."
)
@click.option("--wide", is_flag=True, help="One line a data set, its metrics side by side.")
@click.option("--record", is_flag=True, help="Write what was measured into the packages' ledgers.")
@click.option("--image", default=None, help="Another image than the package's.")
@unlimited_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, packages: tuple[str, ...], **given: Any) -> None:
    """Re-derive what was published about PACKAGES: reported, reproduced, difference, verdict.

    Ends with 1 if a verdict is not the one that the card expects.
    """
    from repro.operations.reproduction import as_json, reproduce_packages

    results = reproduce_packages(
        packages,
        model=given["model"],
        source=given["source"],
        image=given["image"],
        allow_unlimited=given["allow_unlimited"],
        save=given["record"],
        report=say,
    )
    if given["as_json"]:
        print_json([as_json(result) for result in results])
    elif given["wide"]:
        _print_wide(results)
    else:
        _print(results)
    ctx.exit(0 if all(result.as_expected for result in results) else 1)


def _print(results: Sequence[ClaimResult]) -> None:
    columns = (
        "model",
        "on",
        "metric",
        "source",
        "reported",
        "reproduced",
        "difference",
        "verdict",
        "",
    )
    notes: list[str] = []
    rows = []
    for result in results:
        claim = result.claim
        note = result.error or claim.why
        if note and note not in notes:
            notes.append(note)
        mark = f"[{notes.index(note) + 1}]" if note else ""
        measured = claim.metric or claim.path or "output"
        verdict = result.verdict.value + ("" if result.as_expected else ", not as expected")
        values = (_show(claim.reported), _rounded(result), _signed(result), verdict, mark)
        rows.append((claim.model, _short(claim.subject), measured, claim.source, *values))
    print_table(columns, rows)
    for number, note in enumerate(notes, start=1):
        click.echo(f"[{number}] {note}")
    _summarise(results)


def _print_wide(results: Sequence[ClaimResult]) -> None:
    """Print the claims over data sets as papers do: reported, an arrow, reproduced."""
    over = [result for result in results if result.claim.metric]
    metrics = list(dict.fromkeys(result.claim.metric for result in over))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for result in over:
        claim = result.claim
        sign = "=" if result.verdict.value == "reproduced" else "≠"
        cell = f"{_show(claim.reported)} {sign} {_rounded(result) or result.verdict.value}"
        line = lines.setdefault((claim.model, claim.subject, claim.source), {})
        line[claim.metric] = cell
    rows = [(*key, *(cells.get(metric, "") for metric in metrics)) for key, cells in lines.items()]
    print_table(("model", "on", "source", *metrics), rows)
    click.echo("reported = reproduced, reported ≠ reproduced; without --wide, the reasons")
    _summarise(results)


def _summarise(results: Sequence[ClaimResult]) -> None:
    expected = sum(result.as_expected for result in results)
    done = sum(result.verdict.value == "reproduced" for result in results)
    click.echo(f"{len(results)} claims: {done} reproduced, {expected} as expected")


def _rounded(result: ClaimResult) -> str:
    """Write a number with two digits more than were reported; anything else as it is."""
    if result.difference is None:
        return "" if result.value is None else _show(result.value)
    digits = len(str(result.claim.reported).partition(".")[2])
    return f"{result.value:.{digits + 2}f}"


def _signed(result: ClaimResult) -> str:
    digits = len(str(result.claim.reported).partition(".")[2])
    return "" if result.difference is None else f"{result.difference:+.{digits + 2}f}"


def _show(value: object) -> str:
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
