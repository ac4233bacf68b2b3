"""``repro list``."""

from __future__ import annotations

import click

from repro.commands.output import json_option, print_json, print_table


@click.command(short_help="List the models.")
@click.argument("words", nargs=-1)
@json_option
def command(words: tuple[str, ...], as_json: bool) -> None:
    """List the models; with WORDS, those whose card has all of them."""
    from repro.catalog.listing import list_entries

    entries = list_entries(words)
    if as_json:
        print_json(entries)
    else:
        columns = ("model", "task", "title", "paper", "license")
        print_table(columns, [[entry[column] for column in columns] for entry in entries])
