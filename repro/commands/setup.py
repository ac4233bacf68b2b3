"""``repro setup``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from repro.catalog.suites import SUITES
from repro.commands.completion import package_names
from repro.commands.output import as_dict, building, json_option, print_json, print_table, say

if TYPE_CHECKING:
    from repro.errors import CardError
    from repro.operations.setup import SetupResult


@click.command(
    short_help="Have the images of packages.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("packages", nargs=-1, shell_complete=package_names)
@click.option("--all", "everything", is_flag=True, help="All packages; one failure stops no other.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Build so many at once.")
@click.option("--build", is_flag=True, help="Build also what is there, or could be pulled.")
@click.option("--pull", is_flag=True, help="Pull what is missing, and build nothing.")
@click.option("--locked", is_flag=True, help="Refuse an image that is not what image.lock says.")
@click.option(
    "--build-arg",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another value of a build argument of the card.",
)
@click.option(
    "--base",
    "suites",
    multiple=True,
    type=click.Choice(SUITES),
    help="Have the base image of a Debian suite.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, packages: tuple[str, ...], **given: Any) -> None:
    """Have the images of PACKAGES: pull or build what is missing, or was built from other files.

    What the package's image.lock names by a digest is pulled; where that fails, it is built.
    """
    from repro.commands.subcommand import is_legacy, run_legacy

    if packages and is_legacy(packages[0]):  # its options are its own
        run_legacy(packages[0], [*packages[1:], *ctx.args])
        return
    unknown = [word for word in (*packages, *ctx.args) if word.startswith("-")]
    if unknown:
        raise click.NoSuchOption(unknown[0], ctx=ctx)
    if not (packages or given["everything"] or given["suites"]):
        raise click.UsageError("name packages, or give --all or --base", ctx)
    if packages and given["everything"]:
        raise click.UsageError("name packages, or give --all, not both", ctx)
    results = _set_up(packages, given)
    if given["as_json"]:
        print_json([as_dict(result) for result in results])
    elif results:
        rows = [
            (r.image, r.action, f"{r.size / 1e6:,.0f} MB", f"{r.seconds:.1f} s") for r in results
        ]
        print_table(("image", "", "size", "time"), rows)
    failed = [result for result in results if result.action == "failed"]
    for result in failed:
        say(f"{result.package}: {result.error}")
    ctx.exit(3 if failed else 0)


def _set_up(packages: tuple[str, ...], given: dict[str, Any]) -> list[SetupResult]:
    from repro.catalog import find_package, read_cards
    from repro.commands.predict import split
    from repro.operations.setup import Wish, not_read, setup, setup_base, setup_many

    arguments = dict(split("--build-arg", word) for word in given["arguments"])
    flags = {key: bool(given[key]) for key in ("build", "pull", "locked")}
    wish = Wish(arguments=arguments, **flags)
    for suite in given["suites"]:
        with building(suite) as report:
            say(f"{suite}: {setup_base(suite, report)}")
    broken: list[CardError] = []
    if given["everything"]:
        cards = list(read_cards(broken.append))
    else:
        cards = [find_package(package) for package in packages]
    if len(cards) == 1 and not given["everything"]:
        with building(packages[0]) as report:
            return setup(cards[0], wish, report=report)
    with building("") as report:
        results = setup_many(
            cards,
            wish,
            jobs=given["jobs"],
            report=lambda package, line: report(f"{package}: {line}"),
        )
        return [*results, *map(not_read, broken)]
