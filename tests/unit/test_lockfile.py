"""The file `image.lock`: what is written is read again, and what differs is named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from repro.catalog.lockfile import (
    Lock,
    LockedImage,
    Wheel,
    differences,
    read_lock,
    write_lock,
)
from repro.engine.contents import requirements
from repro.engine.context import BuildContext
from repro.engine.recipe import Recipe
from repro.errors import CardError

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "a" * 64, "b" * 64
IMAGE = LockedImage(
    name="sample2020",
    context=ONE,
    base={"bookworm": TWO},
    debian={"libc6": "2.36-9+deb12u10", "libstdc++6": "12.2.0-14", "g++": "1"},
    python=(
        Wheel(name="numpy", version="1.26.4", sha256=(ONE, TWO)),
        Wheel(name="odd", version="1.0", record=ONE),
    ),
    files={"weights/model.bin": TWO},
    published={"ghcr.io/owner/sample2020": f"sha256:{ONE}"},
)
OTHER = LockedImage(name="sample2020-old", context=TWO)
LOCK = Lock(package="sample2020", version="1.0", platform="linux/amd64", images=(IMAGE, OTHER))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package's folder."""
    (tmp_path / "sample2020").mkdir()
    return tmp_path / "sample2020"


def test_what_is_written_is_read_again(folder):
    write_lock(folder, LOCK)

    assert read_lock(folder) == LOCK
    assert LOCK.image("sample2020-old") == OTHER
    assert LOCK.image("sample2021") is None


def test_a_lock_has_one_order(folder):
    first = write_lock(folder, LOCK).read_bytes()
    turned = replace(
        IMAGE,
        debian=dict(reversed(IMAGE.debian.items())),
        python=tuple(reversed(IMAGE.python)),
    )

    assert write_lock(folder, replace(LOCK, images=(OTHER, turned))).read_bytes() == first


def test_a_package_without_a_lock_has_none(folder):
    assert read_lock(folder) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lock = ", "sample2020/image.lock: the file: is not TOML"),
        ("lock = 2\n", "lock: is of format 2, this repro reads 1; `repro lock sample2020`"),
        ("lock = 1\n", "package: is missing"),
    ],
)
def test_a_lock_that_is_not_right_is_told(folder, text, said):
    (folder / "image.lock").write_text(text)

    with pytest.raises(CardError) as caught:
        read_lock(folder)

    assert said in str(caught.value)


def test_nothing_differs_from_itself():
    assert differences(IMAGE, replace(IMAGE, published={})) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"debian": {**IMAGE.debian, "libc6": "2.36-9+deb12u11"}},
            "Debian's libc6: locked 2.36-9+deb12u10, now 2.36-9+deb12u11",
        ),
        (
            {"debian": {n: v for n, v in IMAGE.debian.items() if n != "g++"}},
            "Debian's g++: locked 1, now not there",
        ),
        ({"base": {"bookworm": ONE}}, "the base bookworm: locked bbbbbbbbbbbb…, now aaaaaaaaaaaa…"),
        ({"context": TWO}, "the build context: locked aaaaaaaaaaaa…, now bbbbbbbbbbbb…"),
        (
            {"files": {"weights/model.bin": ONE}},
            "the file weights/model.bin: locked bbbbbbbbbbbb…, now aaaaaaaaaaaa…",
        ),
        (
            {"python": (replace(IMAGE.python[0], sha256=(ONE,)), IMAGE.python[1])},
            (
                "Python's numpy: locked 1.26.4 (wheel aaaaaaaaaaaa…, wheel bbbbbbbbbbbb…), "
                "now 1.26.4 (wheel aaaaaaaaaaaa…)"
            ),
        ),
        (
            {"python": (*IMAGE.python, Wheel(name="new", version="3"))},
            "Python's new: not locked, now 3",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_differs_is_named(change, said):
    assert differences(IMAGE, replace(IMAGE, **change)) == [said]


@pytest.mark.parametrize("named", ["-old", "-o*", "-${AGE}"])
def test_the_requirements_files_of_a_dockerfile_are_read_with_their_hashes(folder, named):
    (folder / "Dockerfile").write_text(f"FROM scratch\nCOPY requirements{named}.txt /\n")
    (folder / "requirements.txt").write_text("another==3\n")
    (folder / "requirements-old.txt").write_text(
        f"# a comment\nNumPy_Like[extra]==1.0 ; python_version < '4' \\\n"
        f"    --hash=sha256:{TWO} \\\n    --hash=sha256:{ONE}\nplain==2\n-r other.txt\nopen>=1\n"
    )
    context = BuildContext(root=folder)
    recipe = Recipe(package="sample2020", name="x/sample2020:1", context=context, suite=None)

    assert list(requirements(recipe)) == [
        Wheel(name="numpy-like", version="1.0", sha256=(ONE, TWO)),
        Wheel(name="plain", version="2"),
    ]
