"""``repro clean``."""

from __future__ import annotations

import click

from repro.commands.output import json_option, print_json


@click.command(short_help="Remove what was left behind.")
@click.option("--images", is_flag=True, help="Remove also images that no package builds any more.")
@click.option("--weights", is_flag=True, help="Remove also fetched weights: images have their own.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
def command(images: bool, weights: bool, dry_run: bool, as_json: bool) -> None:
    """Remove what killed processes and failed builds left behind."""
    from repro.operations.cleaning import clean

    removed = clean(images=images, weights=weights, dry_run=dry_run)
    if as_json:
        print_json(removed)
    else:
        for thing in removed or ["nothing to remove"]:
            click.echo(thing)
