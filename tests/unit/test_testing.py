"""Helpers for the tests of models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from repro.errors import ConfigurationError
from repro.testing import (
    FIXTURES_ROOT,
    DockerTestContextManager,
    assert_dicts_approx_equal,
    get_testing_device_parameters,
)


@pytest.mark.parametrize(
    ("said", "devices", "gpus"),
    [
        (None, [-1], []),
        ("", [-1], []),
        ("0", [0], [0]),
        ("-1,0,1", [-1, 0, 1], [0, 1]),
        (" -1 , 2 ", [-1, 2], [2]),
        ("-1,-1,0", [-1, -1, 0], [0]),
    ],
)
def test_devices_come_from_the_environment(
    said: str | None, devices: list[int], gpus: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_DEVICES", raising=False)
    if said is not None:
        monkeypatch.setenv("TEST_DEVICES", said)

    assert get_testing_device_parameters() == [(device,) for device in devices]
    assert get_testing_device_parameters(gpu_only=True) == [(device,) for device in gpus]


def test_devices_that_are_no_numbers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DEVICES", "cuda")

    with pytest.raises(ConfigurationError, match=r"TEST_DEVICES='cuda' .* like -1,0,1"):
        get_testing_device_parameters()


@pytest.mark.parametrize(
    ("one", "other", "tolerance"),
    [
        ({}, {}, {}),
        ({"a": 1.0, "b": {"c": 2.0}}, {"b": {"c": 2.0 + 1e-7}, "a": 1}, {}),
        ({"a": 1.0}, {"a": 1.05}, {"abs": 0.1}),
        ({"a": 1.0}, {"a": 1.05}, {"rel": 0.1}),
        ({"a": "label", "b": None}, {"a": "label", "b": None}, {}),
    ],
)
def test_dicts_within_the_tolerance_are_equal(one: Any, other: Any, tolerance: Any) -> None:
    assert_dicts_approx_equal(one, other, **tolerance)


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "message"),
    [
        ({"a": 1.0}, {"a": 1.05}, {}, r"^a: 1.0 is not 1.05$"),
        ({"a": 1.0}, {"a": 1.05}, {"abs": 0.01}, "a: 1.0"),
        ({"a": {"b": 1.0}}, {"a": {"b": 2.0}}, {}, r"^a\.b: 1.0 is not 2.0$"),
        ({"a": 1, "b": 1}, {"a": 2, "b": 2}, {}, r"^a: 1 is not 2; b: 1 is not 2$"),
        ({"a": 1.0}, {"a": {"b": 1.0}}, {}, r"^only one has: a, a\.b$"),
        ({"a": float("nan")}, {"a": float("nan")}, {}, "a: nan is not nan"),
    ],
)
def test_dicts_that_differ_are_told_with_their_keys(
    one: Any, other: Any, tolerance: Any, message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_dicts_approx_equal(one, other, **tolerance)


def test_the_fixtures_of_the_checkout_are_found() -> None:
    assert Path(FIXTURES_ROOT, "tutorial").is_dir()


def test_a_context_of_an_image_is_made_without_an_engine() -> None:
    assert DockerTestContextManager("x:1").image == "x:1"


def test_the_helpers_need_no_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from repro.testing import FIXTURES_ROOT, get_testing_device_parameters as get\n"
        "get(); print('docker' in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
