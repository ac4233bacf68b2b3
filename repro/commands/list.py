"""``repro list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from repro.commands.output import json_option, print_json, print_table, say
from repro.common.text import printable

if TYPE_CHECKING:
    from repro.errors import CardError


@click.command(short_help="List the models.")
@click.argument("words", nargs=-1)
@json_option
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...], as_json: bool) -> None:
    """List the models; with WORDS, those whose card has all of them.

    Ends with 2 if a card is not right; the others are listed.
    """
    from repro.catalog.listing import list_entries

    broken: list[CardError] = []
    entries = list_entries(words, broken.append)
    if as_json:
        print_json(entries)
    else:
        columns = ("model", "task", "title", "paper", "license")
        print_table(columns, [[entry[column] for column in columns] for entry in entries])
    for error in broken:
        say(f"repro: {printable(str(error))}")
    if broken:
        ctx.exit(2)
