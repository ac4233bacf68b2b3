"""``repro lock``."""

from __future__ import annotations

import click

from repro.commands.completion import package_names
from repro.commands.output import as_dict, chosen, json_option, print_json, print_table, say


@click.command(short_help="Write down what images are made of.")
@click.argument("packages", nargs=-1, shell_complete=package_names)
@click.option("--all", "everything", is_flag=True, help="All packages; one failure stops no other.")
@json_option
@click.pass_context
def command(ctx: click.Context, packages: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Write what the images of PACKAGES are made of, exactly, into models/PACKAGE/image.lock."""
    from repro.operations.locking import lock_many

    cards, broken = chosen(ctx, packages, everything=everything)
    results = lock_many(cards)
    if as_json:
        print_json([as_dict(result) for result in results])
    elif results:
        columns = ("image", "", "Debian packages", "of Python", "files")
        rows = [(r.image, r.outcome, r.debian, r.python, r.files) for r in results]
        print_table(columns, rows)
    failed = [result for result in results if result.error]
    for result in failed:
        say(f"{result.package}: {result.error}")
    for error in broken:
        say(str(error))
    codes = [*(result.exit_code for result in failed), *(error.exit_code for error in broken)]
    ctx.exit(max(codes, default=0))
