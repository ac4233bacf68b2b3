"""``repro pull``."""

from __future__ import annotations

import click

from repro.commands.completion import package_names
from repro.commands.output import as_dict, building, json_option, print_json, print_table, say


@click.command(short_help="Pull the images of packages.")
@click.argument("packages", nargs=-1, required=True, shell_complete=package_names)
@json_option
@click.pass_context
def command(ctx: click.Context, packages: tuple[str, ...], as_json: bool) -> None:
    """Pull the images of PACKAGES from where they were published, instead of building them.

    One failure stops no other.
    """
    from repro.operations.pulling import pull_many

    with building("") as report:
        done = pull_many(
            dict.fromkeys(packages), lambda package, line: report(f"{package}: {line}")
        )
        results = list(done)
    if as_json:
        print_json([as_dict(result) for result in results])
    else:
        print_table(("image", ""), [(result.image, result.outcome) for result in results])
    for result in results:
        if result.error:
            say(f"{result.package}: {result.error}")
    ctx.exit(max(result.exit_code for result in results))
