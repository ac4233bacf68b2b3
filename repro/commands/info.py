"""``repro info``."""

from __future__ import annotations

import click

from repro.commands.completion import names
from repro.commands.output import json_option, print_json


@click.command(short_help="Describe a model or a package.")
@click.argument("name", shell_complete=names)
@json_option
def command(name: str, as_json: bool) -> None:
    """Describe the model or package NAME: paper, licence, fields, options, predictions, claims."""
    from repro.operations.description import as_text, describe

    about = describe(name)
    if as_json:
        print_json(about)
    else:
        click.echo(as_text(about))
