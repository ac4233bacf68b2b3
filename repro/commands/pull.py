"""``repro pull``."""

from __future__ import annotations

import click

from repro.commands.completion import package_names
from repro.commands.output import building, json_option, print_json, print_table


@click.command(short_help="Pull the images of packages.")
@click.argument("packages", nargs=-1, required=True, shell_complete=package_names)
@json_option
def command(packages: tuple[str, ...], as_json: bool) -> None:
    """Pull the images of PACKAGES from where they were published, instead of building them."""
    from repro.operations.pulling import pull

    pulled = []
    for package in dict.fromkeys(packages):
        with building(package) as report:
            pulled += pull(package, report=report)
    if as_json:
        print_json([{"package": package, "image": image} for package, image in pulled])
    else:
        print_table(("package", "image"), pulled)
