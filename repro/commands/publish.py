"""``repro publish``."""

from __future__ import annotations

from typing import Any

import click

from repro.commands.check import LEVELS
from repro.commands.completion import package_names
from repro.commands.output import (
    as_dict,
    building,
    chosen,
    json_option,
    print_json,
    print_table,
    say,
)


@click.command(short_help="Push the images of packages to a registry.")
@click.argument("packages", nargs=-1, shell_complete=package_names)
@click.option("--all", "everything", is_flag=True, help="All packages; one failure stops no other.")
@click.option(
    "--registry",
    metavar="HOST/NAMESPACE",
    default=None,
    help="Where to; by default `registry` in the configuration.",
)
@click.option("--plan", "only_plan", is_flag=True, help="Tell what would be done, and do nothing.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="full",
    help="How far to check before, as in `repro check`.",
)
@click.option("--dry-run", is_flag=True, help="Build and check, and push nothing.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, packages: tuple[str, ...], **given: Any) -> None:
    """Publish the images of PACKAGES: build, check, push, and write the digest into image.lock.

    A version that the registry has is never pushed again.
    """
    from repro.operations.publishing import plan, publish

    cards, broken = chosen(ctx, packages, everything=given["everything"])
    if given["only_plan"]:
        results = list(plan(cards, given["registry"]))
    else:
        with building("") as report:
            done = publish(
                cards,
                given["registry"],
                level=given["level"],
                dry_run=given["dry_run"],
                report=lambda package, line: report(f"{package}: {line}"),
            )
            results = list(done)
    if given["as_json"]:
        print_json([as_dict(result) for result in results])
    elif results:
        rows = [(f"{r.image}:{r.version}", r.action, r.digest[:19]) for r in results]
        print_table(("image", "", "digest"), rows)
    for result in results:
        if result.reason:
            say(f"{result.package}: {result.reason}")
    for error in broken:
        say(str(error))
    codes = [*(result.exit_code for result in results), *(error.exit_code for error in broken)]
    ctx.exit(max(codes, default=0))
