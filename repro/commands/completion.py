"""``repro completion``, and what completes names of models and packages."""

from __future__ import annotations

import click


def model_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Name the models that begin so."""
    del ctx, param
    from repro.catalog import list_models

    known = list_models(on_error=lambda _: None)  # no place to say what is wrong with a card
    return [name for name in known if name.startswith(incomplete)]


def package_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Name the packages that begin so."""
    del ctx, param
    from repro.catalog import list_packages

    return [package for package in list_packages() if package.startswith(incomplete)]


def task_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Name the tasks that begin so."""
    del ctx, param
    from repro.catalog.tasks import TASKS

    return [task for task in TASKS if task.startswith(incomplete)]


def names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Name the packages and the models that begin so."""
    return [*package_names(ctx, param, incomplete), *model_names(ctx, param, incomplete)]


@click.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL; bash: eval "$(repro completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(ctx.find_root().command, {}, "repro", "_REPRO_COMPLETE").source())
