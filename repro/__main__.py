"""The command `repro`: run one command, and end the process with the status that says how it went.

0 done · 1 the model failed · 2 the caller erred · 3 engine or machine · 70 a defect of ours · 130
interrupted
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from repro.common.text import printable
from repro.errors import ReproError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED, OUR_DEFECT, PIPE_CLOSED = 130, 70, 141


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process."""
    # Imports make many objects that live to the end: looking through them for cycles, again and
    # again and once more at the end, is up to a tenth of a short command.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    from repro.commands.cli import cli

    _open_missing()
    for one in _ENDING:  # so that what was opened is closed
        signal.signal(one, _interrupt)
    sys.exit(_run(cli, arguments))


def _run(cli: click.Command, arguments: Sequence[str] | None) -> int:
    try:
        status = cli.main(args=arguments, prog_name="repro", standalone_mode=False)
        sys.stdout.flush()
    except ReproError as error:
        _say(f"{error}")
        status = error.exit_code
    except click.ClickException as error:
        error.show()
        status = 2
    except (KeyboardInterrupt, click.Abort) as error:
        if error.__cause__ is None:  # in the line of a question; click ends other lines itself
            click.echo(err=True)
        _say("interrupted")
        status = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
        status = PIPE_CLOSED
    except Exception:  # noqa: BLE001  the edge: a defect of ours keeps its traceback
        import traceback

        traceback.print_exc()
        _say("this is a defect of repro; please report it with the lines above")
        status = OUR_DEFECT
    return status if isinstance(status, int) else 0


def _say(message: str) -> None:
    click.echo(f"repro: {printable(message)}", err=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for one in _ENDING:  # a second one must not end the clean-up, which takes no longer than it may
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def _open_missing() -> None:
    """Have the three standard streams, whatever the caller closed."""
    for descriptor, mode in enumerate("rww"):
        name = ("stdin", "stdout", "stderr")[descriptor]
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  kept


if __name__ == "__main__":
    main()
