"""``repro reproduce``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from repro.commands.completion import model_names, package_names
from repro.commands.output import json_option, print_json, print_table, say, unlimited_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.catalog import Card
    from repro.errors import CardError
    from repro.operations.reproduction import ClaimResult

LONGEST = 36  # characters of a value or a subject in the table


@click.command(short_help="Re-derive what was published.")
@click.argument("packages", nargs=-1, shell_complete=package_names)
@click.option("--all", "everything", is_flag=True, help="All packages; what fails stops no other.")
@click.option(
    "--model", default=None, shell_complete=model_names, help="Only claims about this model."
)
@click.option(
    "--source", default=None, help="Only claims whose source has this text, such as 'Table 4'."
)
@click.option("--build", is_flag=True, help="Have the images first, as `repro setup` does.")
@click.option("--wide", is_flag=True, help="One line a data set, its metrics side by side.")
@click.option(
    "--report",
    "report_file",
    metavar="FILE",
    help="Write what came of it there: .html, a page with a plot; .md; or .json.",
)
@click.option("--record", is_flag=True, help="Write what was measured into the packages' ledgers.")
@click.option("--image", default=None, help="Another image than the package's.")
@unlimited_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, packages: tuple[str, ...], **given: Any) -> None:
    """Re-derive what was published about PACKAGES: reported, reproduced, difference, verdict.

    Ends with 1 if a verdict is not the one that the card expects; a claim over data that may not be
    passed on is not run without them, which is no surprise. Of several packages, one whose
    image is missing or cannot be built stops no other: its claims are not run.
    """
    from repro.operations.page import check_path
    from repro.operations.report import SUFFIXES

    if bool(packages) == given["everything"]:
        raise click.UsageError("name packages, or give --all, and not both", ctx)
    if given["report_file"]:
        check_path(given["report_file"], "report", SUFFIXES)
    broken: list[CardError] = []
    cards = _cards(packages, broken)
    results = _measure(cards, given)
    _tell(cards, results, broken, given)
    for error in broken:
        say(f"repro: {error}")
    as_expected = all(result.as_expected for result in results)
    ctx.exit((2 if broken else 0) if as_expected else 1)


def _cards(packages: tuple[str, ...], broken: list[CardError]) -> list[Card]:
    """Read the cards of packages; of all if none is named, where they are right."""
    from repro.catalog import find_package, read_cards

    if packages:
        return [find_package(package) for package in packages]
    return list(read_cards(broken.append))


def _measure(cards: list[Card], given: dict[str, Any]) -> list[ClaimResult]:
    from repro.operations.reproduction import reproduce_packages

    return reproduce_packages(
        cards,
        model=given["model"],
        source=given["source"],
        image=given["image"],
        allow_unlimited=given["allow_unlimited"],
        save=given["record"],
        build=given["build"],
        patient=given["everything"] or len(cards) > 1,
        report=say,
    )


def _tell(
    cards: list[Card], results: list[ClaimResult], broken: list[CardError], given: dict[str, Any]
) -> None:
    from repro.operations.report import make_report, write_report
    from repro.operations.reproduction import as_json

    if given["as_json"]:
        print_json([as_json(result) for result in results])
    elif given["wide"]:
        _print_wide(results)
    else:
        _print(results)
    if given["report_file"]:
        report = make_report(cards, results, [str(error) for error in broken])
        write_report(given["report_file"], report)


def _print(results: Sequence[ClaimResult]) -> None:
    from repro.operations.report import COLUMNS, cells

    notes: list[str] = []
    rows = []
    for result in results:
        model, subject, metric, source, reported, reproduced, *others, note = cells(result)
        if note and note not in notes:
            notes.append(note)
        mark = f"[{notes.index(note) + 1}]" if note else ""
        values = (_short(reported), _short(reproduced), *others, mark)
        rows.append((model, _short(subject), metric, source, *values))
    print_table((*COLUMNS[:-1], ""), rows)
    for number, note in enumerate(notes, start=1):
        click.echo(f"[{number}] {note}")
    _summarise(results)


def _print_wide(results: Sequence[ClaimResult]) -> None:
    """Print the claims over data sets as papers do: reported, an arrow, reproduced."""
    from repro.operations.report import measured, rounded, shown

    over = [result for result in results if result.claim.metric]
    metrics = list(dict.fromkeys(map(measured, over)))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for result in over:
        claim = result.claim
        sign = "=" if result.verdict.value == "reproduced" else "≠"
        cell = f"{shown(claim.reported)} {sign} {rounded(result) or result.verdict.value}"
        line = lines.setdefault((claim.model, claim.subject, claim.source), {})
        line[measured(result)] = cell
    rows = [(*key, *(cells.get(metric, "") for metric in metrics)) for key, cells in lines.items()]
    print_table(("model", "on", "source", *metrics), rows)
    click.echo("reported = reproduced, reported ≠ reproduced; without --wide, the reasons")
    _summarise(results)


def _summarise(results: Sequence[ClaimResult]) -> None:
    from repro.operations.report import Summary

    click.echo(str(Summary.of(results)))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
