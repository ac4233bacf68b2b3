"""The group of all commands; each is imported when it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click

import repro

NAMES = (
    "list",
    "info",
    "setup",
    "pull",
    "lock",
    "publish",
    "predict",
    "compare",
    "test",
    "check",
    "reproduce",
    "new",
    "doctor",
    "clean",
    "completion",
)
PIPE_CLOSED = 141  # as of a program that SIGPIPE ends


class Commands(click.Group):
    """A group whose commands are the modules beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name them in the order one meets them."""
        del ctx
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one."""
        del ctx
        if cmd_name not in NAMES:
            return None
        return cast("click.Command", import_module(f"repro.commands.{cmd_name}").command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find one; an unknown name is answered with the nearest."""
        if args and args[0] not in NAMES and not args[0].startswith("-"):
            from repro.errors import nearest

            raise click.UsageError(f"there is no command {args[0]!r}{nearest(args[0], NAMES)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run one; a reader that has seen enough is no failure, which click would make of it."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(PIPE_CLOSED)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(repro.__version__, prog_name="repro")
@click.option(
    "-v", "--verbose", count=True, help="Log what is done; twice, also what models print."
)
@click.pass_context
def cli(ctx: click.Context, verbose: int) -> None:
    """Run published research models, each in its own container."""
    if ctx.invoked_subcommand is None:
        click.echo(f"{ctx.get_help()}\n\nThe models there are:\n")
        ctx.invoke(import_module("repro.commands.list").command)
    if verbose:
        import logging

        level = logging.INFO if verbose == 1 else logging.DEBUG
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("repro").setLevel(level)
