"""``repro clean``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from repro.commands.output import json_option, print_json, say
from repro.common.text import printable

if TYPE_CHECKING:
    from repro.errors import ReproError


@click.command(short_help="Remove what was left behind.")
@click.option("--images", is_flag=True, help="Remove also images that no package builds any more.")
@click.option("--weights", is_flag=True, help="Remove also fetched weights: images have their own.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
@click.pass_context
def command(ctx: click.Context, images: bool, weights: bool, dry_run: bool, as_json: bool) -> None:
    """Remove what killed processes and failed builds left behind.

    Images of a package that cannot be read stay, and what is wrong with it is told.
    """
    from repro.operations.cleaning import clean

    broken: list[ReproError] = []
    removed = clean(images=images, weights=weights, dry_run=dry_run, on_error=broken.append)
    if as_json:
        print_json(removed)
    else:
        for thing in removed or ["nothing to remove"]:
            click.echo(thing)
    for error in broken:
        say(f"repro: {printable(str(error))}")
    ctx.exit(max((error.exit_code for error in broken), default=0))
