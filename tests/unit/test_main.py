"""How a command ends: the status of the process, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from repro.__main__ import _run
from repro.commands.cli import NAMES, cli
from repro.errors import (
    ConfigurationError,
    ContainerError,
    DiskFull,
    EngineUnavailable,
    ImageNotFound,
    InstanceError,
    OutputError,
    PredictionTimeout,
    UnknownNameError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Outcome = tuple[int, str, str]


@pytest.fixture
def ending(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command that raises; return the status and what went to the two streams."""

    def run(error: BaseException | None = None) -> Outcome:
        @click.group()
        def group() -> None:
            pass

        @group.command()
        def act() -> None:
            click.echo('{"data": 1}')
            if error is not None:
                raise error

        return (_run(group, ["act"]), *capfd.readouterr())

    return run


def repro(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "repro", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **options
    )  # type: ignore[call-overload, no-any-return]


def test_a_command_that_ends_well_ends_with_0(ending: Callable[..., Outcome]) -> None:
    assert ending() == (0, '{"data": 1}\n', "")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ContainerError("x:1", ("a", "b"), 7), 1, "'a b' in x:1 ended with status 7"),
        (OutputError("vader", "is not JSON"), 1, "vader: is not JSON"),
        (PredictionTimeout("vader", 2), 1, "vader did not answer within 2 s and was stopped"),
        (ConfigurationError("timeout=0"), 2, "timeout=0"),
        (UnknownNameError("model", "x"), 2, "there is no model called 'x'"),
        (
            InstanceError("vader", 3, "text", "is missing"),
            2,
            "instance 3 for 'vader': field 'text'",
        ),
        (EngineUnavailable("tcp://x", "refused", "start it"), 3, "no container engine at tcp://x"),
        (ImageNotFound("x:1", "`repro setup x`"), 3, "the image x:1 is not on this engine"),
        (DiskFull("/tmp"), 3, "no space left on the device that holds /tmp"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_ends_with_the_status_of_who_must_act_and_without_a_traceback(
    error: Exception, status: int, message: str, ending: Callable[..., Outcome]
) -> None:
    ended, data, talk = ending(error)

    assert ended == status
    assert talk.startswith(f"repro: {message}")
    assert "Traceback" not in talk
    assert data == '{"data": 1}\n'


@pytest.mark.parametrize("error", [KeyError("text"), RuntimeError("oops"), AssertionError()])
def test_a_defect_of_ours_ends_with_70_and_keeps_its_traceback(
    error: Exception, ending: Callable[..., Outcome]
) -> None:
    status, _, talk = ending(error)

    assert status == 70
    assert talk.startswith("Traceback (most recent call last):\n")
    assert f"{type(error).__name__}" in talk
    assert "test_main.py" in talk
    assert talk.endswith(
        "repro: this is a defect of repro; please report it with the lines above\n"
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_ends_with_130(
    error: BaseException, ending: Callable[..., Outcome]
) -> None:
    status, _, talk = ending(error)

    assert status == 130
    assert talk == "\nrepro: interrupted\n"


@pytest.mark.parametrize(
    "error", [click.UsageError("give one"), click.BadParameter("no"), click.ClickException("no")]
)
def test_an_error_of_usage_ends_with_2(error: Exception, ending: Callable[..., Outcome]) -> None:
    status, _, talk = ending(error)

    assert status == 2
    assert talk.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize("status", [0, 1, 3])
def test_a_command_may_choose_its_status(status: int) -> None:
    @click.command()
    @click.pass_context
    def act(ctx: click.Context) -> None:
        ctx.exit(status)

    assert _run(act, []) == status


def test_what_a_command_returns_is_no_status_unless_it_is_a_number() -> None:
    assert _run(click.Command("act", callback=lambda: "done"), []) == 0
    assert _run(click.Command("act", callback=lambda: None), []) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predcit"], "there is no command 'predcit'; did you mean 'predict'"),
        (["lst"], "there is no command 'lst'; did you mean 'list'"),
        (["frobnicate"], "there is no command 'frobnicate'\n"),
        (["--frobnicate"], "No such option"),
        (["list", "--jsno"], "No such option"),
        (["info"], "Missing argument 'NAME'"),
        (["predict"], "Missing option '--model'"),
        (["predict", "--model", "x", "-i", "text"], "--instance wants NAME=VALUE, not 'text'"),
        (["setup", "tutorial", "--biuld"], "--biuld"),
    ],
)
def test_a_command_line_that_is_not_right_is_told_and_ends_with_2(
    arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status = _run(cli, arguments)
    data, talk = capfd.readouterr()

    assert status == 2
    assert data == ""
    assert said in talk
    assert talk.startswith("Usage: repro ")


def test_a_model_that_there_is_not_is_told_and_ends_with_2(
    capfd: pytest.CaptureFixture[str],
) -> None:
    status = _run(cli, ["info", "hutto2014-vadr"])
    data, talk = capfd.readouterr()

    assert (status, data) == (2, "")
    assert talk.startswith(
        "repro: there is no model or package called 'hutto2014-vadr'; did you mean "
    )
    assert talk.endswith("`repro list` shows what there is\n")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_help_with_a_sentence(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status = _run(cli, [name, "--help"])
    data, talk = capfd.readouterr()

    assert (status, talk) == (0, "")
    assert data.startswith(f"Usage: repro {name} ")
    assert " ".join(data.split("\n\n")[1].split()).endswith(".")


def test_the_help_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    status = _run(cli, ["-h"])
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]

    assert status == 0
    assert [line[0] for line in lines if line and line[0] in NAMES] == list(NAMES)


def test_the_status_is_that_of_the_process() -> None:
    assert repro("--version").stdout.startswith("repro, version ")
    assert repro("info", "nothing").returncode == 2
    assert repro("frobnicate").returncode == 2


def test_a_reader_that_has_seen_enough_ends_a_command_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "repro", "list", "--json"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)

    assert done.returncode == 141, "as a program that ended by SIGPIPE; 1 would blame the model"
    assert done.stderr == ""


def test_a_package_that_is_named_twice_is_planned_once():
    done = repro("publish", "tutorial", "tutorial", "--plan", "--json", "--registry", "localhost/a")

    assert [one["action"] for one in json.loads(done.stdout)] == ["skipped"]
