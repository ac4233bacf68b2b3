"""``repro check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repro.commands.completion import package_names
from repro.commands.output import (
    building,
    json_option,
    print_json,
    print_table,
    say,
    unlimited_option,
)
from repro.common.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from repro.errors import CardError
    from repro.operations.checking import CheckResult, PackageReport

LEVELS = ("card", "build", "contract", "full")


@click.command(short_help="Check packages: card, files, images, contract, claims.")
@click.argument("packages", nargs=-1, shell_complete=package_names)
@click.option("--all", "everything", is_flag=True, help="All packages; what fails stops no other.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="full",
    help="How far to go; each level includes those before it. `card` starts nothing.",
)
@click.option(
    "--build",
    is_flag=True,
    help="Build the images from nothing, although they are there; --level build always does.",
)
@click.option("--junit", "junit_file", metavar="FILE", help="Write a report in JUnit's XML there.")
@unlimited_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, packages: tuple[str, ...], **given: Any) -> None:
    """Check PACKAGES, and tell of each what was found and what to do.

    Ends with 1 if something is wrong. What should be better, and what could not be looked at, is
    told, and is no failure.
    """
    from repro.catalog import list_packages
    from repro.operations.checking import as_json, write_junit

    if bool(packages) == given["everything"]:
        raise click.UsageError("name packages, or give --all, and not both", ctx)
    junit = given["junit_file"]
    if junit and not Path(junit).absolute().parent.is_dir():  # told before hours of checks
        raise click.UsageError(f"--junit {junit}: its folder is not there", ctx)
    hidden: list[CardError] = []
    names = list(dict.fromkeys(packages)) or list_packages(hidden.append)
    reports = []
    for report in _checked(names, given):
        reports.append(report)
        if not given["as_json"]:
            _print(report, short=len(names) > 1)
    if given["as_json"]:
        print_json([as_json(report) for report in reports])
    elif len(names) != 1:
        _summarise(reports)
    if junit:
        write_junit(junit, reports)
    ctx.exit(_status(reports, hidden))


def _status(reports: Sequence[PackageReport], hidden: Sequence[CardError]) -> int:
    """Tell of packages that cannot be found, of which there is no report; say how all ends."""
    for error in hidden:
        say(str(error))
    codes = [0 if report.passed else 1 for report in reports]
    return max([*codes, *(error.exit_code for error in hidden)], default=0)


def _checked(packages: Sequence[str], given: dict[str, Any]) -> Iterator[PackageReport]:
    from repro.operations.checking import check_packages

    def run(report: Callable[[str], None]) -> Iterator[PackageReport]:
        return check_packages(
            packages,
            given["level"],
            build=given["build"],
            allow_unlimited=given["allow_unlimited"],
            report=report,
        )

    yield from _with_progress(run)


def _with_progress(
    run: Callable[[Callable[[str], None]], Iterator[PackageReport]],
) -> Iterator[PackageReport]:
    """Show what goes on, on a terminal only; the reports come between."""
    import sys

    if not sys.stderr.isatty():
        yield from run(lambda _line: None)
        return
    shown: list[Callable[[str], None]] = []

    def tell(line: str) -> None:
        shown[-1](line)

    reports = run(tell)
    while True:
        with building("") as show:
            shown.append(show)
            report = next(reports, None)
        if report is None:
            return
        yield report


def _print(report: PackageReport, *, short: bool) -> None:
    """Print a table of the checks, and what is to be done; of several, not what has passed."""
    from repro.operations.checking import OUTCOMES, sentence

    counts = ", ".join(f"{n} {what}" for what in reversed(OUTCOMES) if (n := report.count(what)))
    click.echo(click.style(f"{report.package}: {counts}, {report.seconds:.1f} s", bold=True))
    shown = [result for result in report.results if not (short and result.outcome == "passed")]
    rows = [(result.check, result.outcome, _line(result)) for result in shown]
    if rows:
        print_table(("check", "", "found"), rows)
    for result in shown:
        for finding in result.findings:
            if finding.outcome in {"error", "warning"}:
                click.echo(printable(f"{result.check}: {sentence(finding)}"))
    click.echo()


def _line(result: CheckResult) -> str:
    """Write what a check has found in a line, the worst of it if it is more."""
    worst = [f.message for f in result.findings if f.outcome == result.outcome and f.message]
    more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
    return worst[0].strip().partition("\n")[0] + more if worst else ""


def _summarise(reports: Sequence[PackageReport]) -> None:
    wrong = [report.package for report in reports if not report.passed]
    told = f", wrong: {', '.join(wrong)}" if wrong else ""
    click.echo(f"{len(reports)} packages, {len(reports) - len(wrong)} passed{told}")
