"""Whose is it: a process is told from a later one with its number, and from one elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from repro.engine.owner import Owner, this_process


def test_this_process_is_alive() -> None:
    owner = this_process()

    assert owner.pid == os.getpid()
    assert not owner.dead


def test_what_is_written_is_read_again() -> None:
    owner = this_process()

    assert Owner.parse(str(owner)) == owner
    assert Owner.parse(f" {owner}\n") == owner
    assert str(owner).count(":") == 4


@pytest.mark.parametrize(
    "text",
    [
        *("", "repro", "a:b:c", "a:b:1:d", "a:b:c:d:e", "a:b:-1:d:e", "a:b:1.5:d:e"),
        *("a:b:1:d:e:f", "a:b: :d:e", "a:b:²:d:e"),
        pytest.param("a:b:" + "9" * 5000 + ":d:e", id="more digits than Python reads"),
    ],
)
def test_what_names_no_process_is_nobody(text: str) -> None:
    assert Owner.parse(text) is None


def test_a_process_is_alive_until_it_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        alive = replace(this_process(), pid=child.pid, started=_started(child.pid))
        was_dead = alive.dead
        child.kill()

    assert not was_dead
    assert alive.dead


def test_a_process_that_nobody_has_waited_for_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    owner = replace(this_process(), pid=child.pid, started=_started(child.pid))
    try:
        deadline = time.monotonic() + 10
        while not owner.dead and time.monotonic() < deadline:
            time.sleep(0.01)

        assert owner.dead
        assert os.path.exists(f"/proc/{child.pid}")  # noqa: PTH110  a zombie still has its number
    finally:
        child.wait()


def test_a_process_that_took_the_number_of_another_is_not_that_other() -> None:
    earlier = replace(this_process(), started=str(int(this_process().started) - 1))

    assert earlier.dead


def test_a_process_from_before_the_machine_was_started_is_dead() -> None:
    assert replace(this_process(), boot="another").dead


@pytest.mark.parametrize("changed", [{}, {"boot": "another"}, {"pid": 2**22 + 1, "started": "1"}])
def test_a_process_of_another_machine_is_not_known_to_be_dead(changed: dict[str, object]) -> None:
    assert not replace(this_process(), machine="elsewhere", **changed).dead


def test_a_process_of_another_pid_namespace_is_not_known_to_be_dead() -> None:
    elsewhere = replace(this_process(), namespace="1", pid=2**22 + 1, started="1")

    assert not elsewhere.dead
    assert replace(elsewhere, namespace=this_process().namespace).dead


@pytest.mark.parametrize("pid", [2**22 + 1, 2**31, 9_999_999_999])
def test_a_number_that_no_process_has_is_dead(pid: int) -> None:
    assert replace(this_process(), pid=pid).dead


def test_a_process_whose_start_is_hidden_is_not_known_to_be_dead(monkeypatch) -> None:
    """As with hidepid=2, where /proc shows a user's own processes alone."""
    hidden = replace(this_process(), started="1")
    was_dead = hidden.dead

    def refuse(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)

    assert was_dead
    assert not hidden.dead


def test_a_program_may_have_any_name() -> None:
    code = (
        "import ctypes; ctypes.CDLL(None).prctl(15, b') Z 1 (:')\n"
        "print(open('/proc/self/stat').read()); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        renamed = child.stdout.readline()
        owner = replace(this_process(), pid=child.pid, started=_started(child.pid))
        was_dead = owner.dead
        child.kill()

    assert ") Z 1 (:)" in renamed
    assert owner.started.isdigit()
    assert not was_dead


def _started(pid: int) -> str:
    """Read field 22 of proc(5)'s stat, the start; the name, field 2, is in brackets."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
        text = file.read()
    return text[text.rindex(")") + 2 :].split()[22 - 3]
