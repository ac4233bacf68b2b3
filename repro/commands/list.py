"""``repro list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from repro.commands.completion import task_names
from repro.commands.output import json_option, print_json, print_table, say
from repro.common.text import printable

if TYPE_CHECKING:
    from repro.catalog.entry import Entry
    from repro.errors import CardError


@click.command(short_help="List the models.")
@click.argument("words", nargs=-1)
@click.option(
    "--task",
    default="",
    metavar="TASK",
    shell_complete=task_names,
    help="Of this task, such as tokenization.",
)
@click.option("--language", default="", metavar="CODE", help="For this language: en, pt-BR.")
@click.option(
    "--modality",
    default="",
    metavar="MODALITY",
    help="That take or give this: audio; that take it: 'audio->'; both: 'audio->text'.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], as_json: bool, **sought: str) -> None:
    """List the models; with WORDS, those whose card has all of them.

    Ends with 2 if a card is not right; the others are listed.
    """
    from repro.catalog.listing import list_entries

    broken: list[CardError] = []
    entries = list_entries(words, broken.append, **sought)
    if as_json:
        print_json(entries)
    else:
        _print(entries)
    for error in broken:
        say(f"repro: {printable(str(error))}")
    if broken:
        ctx.exit(2)


def _print(entries: list[Entry]) -> None:
    from repro.catalog.entry import language_words

    rows = []
    for entry in entries:
        languages = language_words(cast("list[str]", entry["languages"]))
        licences = [str(entry[key]) for key in ("license", "weights_license") if entry[key]]
        about = (entry["title"], entry["paper"], " AND ".join(licences))
        rows.append((entry["model"], entry["task"], languages, *about))
    print_table(("model", "task", "language", "title", "paper", "license"), rows)
