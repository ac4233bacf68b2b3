"""``repro new``."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repro.catalog.suites import SUITES
from repro.commands.completion import task_names
from repro.commands.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from repro.operations.draft import Draft

# What is asked, in this order; several answers are written with commas between them.
QUESTIONS = {
    "title": "Title of the paper",
    "url": "Its address on the web",
    "doi": "Its DOI",
    "authors": "Its authors, with commas between them",
    "variant": "Variant, for after the package in the model's name, if there may be several",
    "task": "Task",
    "fields": "Fields of an instance, such as text:str, n:int",
    "returns": "Type of a prediction, such as str, list[str], dict[str, float]",
    "base": f"Debian suite of the image ({', '.join(SUITES)})",
    "languages": "Codes of its languages, such as en, pt-BR, if it knows any",
    "license": "Licence, as SPDX has it",
}
_COMMA = re.compile(r",(?![^\[]*\])")  # not that of dict[str, int]


@click.command(short_help="Begin a package: write all its files.")
@click.argument("package")
@click.option(
    "--standalone",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a project of its own, to be installed beside repro.",
)
@click.option("--title", help="The paper's title.")
@click.option("--url", help="The paper's address.")
@click.option("--doi", help="The paper's DOI.")
@click.option("--author", "authors", multiple=True, help="An author of the paper; may be repeated.")
@click.option("--variant", help="What comes after the package in the model's name.")
@click.option(
    "--task", shell_complete=task_names, help="What the model does, such as sentiment-analysis."
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME:TYPE",
    help="A field of an instance, such as text:str; may be repeated.",
)
@click.option("--returns", metavar="TYPE", help="The type of a prediction, such as list[str].")
@click.option("--base", type=click.Choice(SUITES), help="The Debian suite of the image.")
@click.option("--language", "languages", multiple=True, help="A language's code; may be repeated.")
@click.option("--license", help="The licence, an expression of SPDX.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given is as by default.")
def command(package: str, standalone: Path | None, yes: bool, **given: Any) -> None:
    """Write the files of PACKAGE, <author><year>, with a stand-in for its program.

    Asks for what is not given, on a terminal. It can be set up and passes its test at once.
    """
    from repro.operations.authoring import check_free, write_package, write_project
    from repro.operations.draft import Draft

    check_free(Draft(package=package), standalone)  # before anything is asked
    draft = _draft(package, given, asking=_is_terminal() and not yes)
    written = [write_project(draft, standalone)] if standalone else write_package(draft)
    folders = [_from_here(folder) for folder in written]
    for folder in folders:
        say(f"wrote {folder}")
    say("Its program is a stand-in: `Replace this` stands wherever there is something to do. Next:")
    for line in _next(draft, folders[-1], standalone=bool(standalone)):
        click.echo(line)


def _from_here(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _draft(package: str, given: Mapping[str, Any], *, asking: bool) -> Draft:
    """Make a draft of what is given, of answers, and of defaults."""
    from repro.operations.draft import CHECKS, Draft

    answers = {name: CHECKS[name](value) for name, value in given.items() if value}
    if asking:
        default = Draft(package=package)
        for name in (name for name in QUESTIONS if name not in answers):
            answers[name] = _ask(name, getattr(default, name), CHECKS[name])
    return Draft(package=package, **answers)


def _ask(name: str, default: Any, check: Callable[[Any], Any]) -> Any:
    """Ask until the answer is one."""
    from repro.errors import InputError

    several = isinstance(default, tuple)

    def read(text: str) -> Any:
        words = [word.strip() for word in _COMMA.split(text)]
        try:
            return check([word for word in words if word] if several else text.strip())
        except InputError as error:
            raise click.BadParameter(str(error)) from error

    shown = ", ".join(default) if several else default
    return click.prompt(
        QUESTIONS[name], default=shown, show_default=bool(shown), value_proc=read, err=True
    )


def _next(draft: Draft, folder: Path, *, standalone: bool) -> list[str]:
    from repro.operations.package_files import as_options

    setup, test = f"repro setup {draft.package}", f"repro test {draft.package}"
    if standalone:
        return [f"pip install -e {shlex.quote(str(folder))}", setup, test]
    return [setup, test, f"repro predict --model {draft.model} {as_options(draft, folder)}"]
