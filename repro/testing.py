"""Helpers for the tests of models."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from repro.common.util import NestedDict, flatten_nested_dict
from repro.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Self

FIXTURES_ROOT = str(Path(__file__).absolute().parent.parent / "tests" / "fixtures")


def get_testing_device_parameters(
    gpu_only: bool = False,  # noqa: FBT001, FBT002  as in the ancestor
) -> list[tuple[int]]:
    """List the devices to test on, each as the arguments of a parameterized test.

    They are what ``$TEST_DEVICES`` says, such as ``-1,0,1``; the CPU alone (-1) where it says
    nothing.

    Parameters
    ----------
    gpu_only : bool
        Leave out the CPU.

    Raises
    ------
    ConfigurationError
        If the variable is no list of numbers.
    """
    said = os.environ.get("TEST_DEVICES", "").strip() or "-1"
    try:
        devices = [int(one) for one in said.split(",")]
    except ValueError:
        problem = f"TEST_DEVICES={said!r} is no list of devices; write it like -1,0,1"
        raise ConfigurationError(problem) from None
    return [(device,) for device in devices if not gpu_only or device != -1]


def assert_dicts_approx_equal(
    d1: NestedDict,
    d2: NestedDict,
    rel: float | None = None,
    abs: float | None = None,  # noqa: A002  as in the ancestor
) -> None:
    """Fail unless two nested dicts have the same keys and, within a tolerance, the same values.

    Parameters
    ----------
    d1, d2 : nested dict of float
        What is, and what is expected.
    rel, abs : float, optional
        The tolerances, as `pytest.approx` takes them: 1e-6 of the expected value, or 1e-12.

    Raises
    ------
    AssertionError
        Names the keys that only one has, or all values that differ.
    """
    import pytest

    found, expected = flatten_nested_dict(d1), flatten_nested_dict(d2)
    if odd := sorted(".".join(map(str, key)) for key in found.keys() ^ expected.keys()):
        raise AssertionError(f"only one has: {', '.join(odd)}")
    differing = [
        f"{'.'.join(map(str, key))}: {found[key]!r} is not {expected[key]!r}"
        for key in found
        if found[key] != pytest.approx(expected[key], rel=rel, abs=abs)
    ]
    if differing:
        raise AssertionError("; ".join(differing))


class DockerTestContextManager:
    """A block that begins and ends without an image; a context manager.

    Parameters
    ----------
    image : str
        The image, which is removed if it is there.
    """

    def __init__(self, image: str) -> None:
        self.image = image

    def __enter__(self) -> Self:
        self._remove()
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def _remove(self) -> None:
        from repro.common.docker import remove_image

        remove_image(self.image, force=True)
