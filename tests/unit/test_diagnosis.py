"""What can be said of GPUs without starting a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from repro.operations.diagnosis import GPUFacts, installed_gpus, judge_gpus

if TYPE_CHECKING:
    from pathlib import Path

TWO = ("0: NVIDIA H200", "1: NVIDIA H200")


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a program `nvidia-smi` of this shell code, and no other program."""

    def write(code: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{code}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return write


@pytest.mark.parametrize(
    ("facts", "state", "said"),
    [
        ({"here": TWO, "runtime": True}, "ok", "0: NVIDIA H200, 1: NVIDIA H200; the engine has"),
        ({"here": TWO, "toolkit": True}, "ok", "toolkit is here, a run will tell if it works"),
        ({"here": TWO, "toolkit": True, "requests": False}, "note", "no way to them"),
        ({"here": TWO, "runtime": True, "requests": False}, "ok", "the nvidia runtime"),
        ({"here": TWO}, "note", "1: NVIDIA H200; the engine has no way to them"),
        ({"runtime": True}, "note", "nvidia-smi finds no GPU here"),
        ({"trouble": "no driver", "runtime": True}, "note", "nvidia-smi fails: no driver"),
        ({}, "note", "none; models run on the CPU"),
        ({"local": False}, "note", "none is offered"),
        ({"local": False, "runtime": True}, "note", "cannot be seen from here"),
    ],
)
def test_only_a_gpu_that_is_there_and_can_be_given_is_well(
    facts: dict[str, Any], state: str, said: str
) -> None:
    finding = judge_gpus(GPUFacts(**{"local": True, **facts}))

    assert (finding.subject, finding.state) == ("GPU", state)
    assert said in finding.detail


def test_a_gpu_that_cannot_be_given_comes_with_a_remedy() -> None:
    assert "nvidia-ctk runtime configure" in judge_gpus(GPUFacts(local=True, here=TWO)).remedy
    assert judge_gpus(GPUFacts(local=True, here=TWO, runtime=True)).remedy == ""


def test_the_driver_lists_the_gpus(smi: Any) -> None:
    smi('echo "0, NVIDIA H200"; echo "1, NVIDIA H200"')

    assert installed_gpus() == (TWO, "")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("echo 'NVIDIA-SMI has failed: no driver'; exit 9", "NVIDIA-SMI has failed: no driver"),
        ("echo 'no library' >&2; exit 12", "no library"),
        ("exit 3", "it ended with status 3"),
    ],
)
def test_a_driver_that_fails_is_told(smi: Any, code: str, said: str) -> None:
    smi(code)

    assert installed_gpus() == ((), said)


@pytest.mark.usefixtures("smi")
def test_without_a_driver_there_are_none() -> None:
    assert installed_gpus() == ((), "")
