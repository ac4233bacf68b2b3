"""The file `image.lock`: what is written is read again, and what differs is named."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from repro.catalog.lockfile import (
    Lock,
    LockedImage,
    Wheel,
    differences,
    read_lock,
    write_lock,
)
from repro.common.io import whole_file
from repro.engine.contents import requirements
from repro.engine.context import BuildContext
from repro.engine.recipe import Recipe
from repro.errors import CardError

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
        ("", "lock: is missing; `repro lock sample2020` writes it anew"),
        ('{"lock": 1}', "the file: is not TOML"),
        ("a = " + "[" * 10_000, "the file: is not TOML"),
    ],
)
def test_a_lock_that_is_not_right_is_told(folder, text, said):
    (folder / "image.lock").write_text(text)

    with pytest.raises(CardError) as caught:
        read_lock(folder)

    assert said in str(caught.value)


PLACE = "images[0].published.ghcr.io/owner/sample2020"
EDITS = {
    "another package": ('package = "s', 'package = "S', "package: is another one, 'Sample2020'"),
    "an unknown key": ("context =", "contxt = 1\ncontext =", "images[0].contxt: is not a key"),
    "a context": (f'context = "{ONE}', f'context = "{ONE}0', "images[0].context: 'aaa"),
    "the sum of a file": (f'"weights/model.bin" = "{TWO}', '"weights/model.bin" = "B', "files.wei"),
    "the sum of a wheel": (f"    '{ONE}'".replace("'", '"'), '    ""', "python[0].sha256: ''"),
    "the sum of a list": (f'record = "{ONE}', 'record = "a', "python[1].record: 'a"),
    "no digest": (f"sha256:{ONE}", "", f"{PLACE}: '' is not sha256: and 64 hexadecimal digits"),
    "half a digest": (f"sha256:{ONE}", f"sha256:{ONE[1:]}", f"{PLACE}: 'sha256:aaa"),
    "a digest of capitals": (f"sha256:{ONE}", f"sha256:{ONE.upper()}", f"{PLACE}: 'sha256:AAA"),
    "another sum": (f"sha256:{ONE}", f"sha512:{ONE}{ONE}", f"{PLACE}: 'sha512:aaa"),
    "a line more": (f"sha256:{ONE}", f"sha256:{ONE}\\n", f"{PLACE}: 'sha256:aaa"),
    "no text": (f'"sha256:{ONE}"', "3", f"{PLACE}: must be a string, not 3"),
    "no place": ("ghcr.io/owner", "https://ghcr.io", "'https://ghcr.io/sample2020' names no place"),
    "a place in short": ("ghcr.io/owner", "owner", "is written 'docker.io/owner/sample2020'"),
    "a name twice": ("sample2020-old", "sample2020", "images[1].name: 'sample2020' is another on"),
}


@pytest.mark.parametrize(("right", "wrong", "said"), EDITS.values(), ids=list(EDITS))
def test_a_lock_that_somebody_edited_is_told_with_its_key(folder, right, wrong, said):
    text = write_lock(folder, LOCK).read_text()
    assert right in text
    (folder / "image.lock").write_text(text.replace(right, wrong, 1))

    with pytest.raises(CardError) as caught:
        read_lock(folder)

    assert caught.value.file == "sample2020/image.lock"
    assert said in str(caught.value)
    assert str(caught.value).endswith("; `repro lock sample2020` writes it anew")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Path.mkdir, "is no regular file"),
        (os.mkfifo, "is no regular file"),
        (lambda path: path.symlink_to("image.lock"), "Too many levels of symbolic links"),
        (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
        (lambda path: path.write_bytes(b"\xff"), "is not TOML"),
    ],
)
def test_what_is_no_file_is_no_lock(folder, make, said):
    make(folder / "image.lock")

    with pytest.raises(CardError, match=f"sample2020/image.lock: the file: {said}"):
        read_lock(folder)


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


def test_a_lock_that_is_being_written_is_no_part_of_what_is_built(folder):
    (folder / "Dockerfile").write_text("FROM scratch\n")
    before = BuildContext(root=folder).digest()

    with whole_file(folder / "image.lock") as file:
        file.write(b"half")

        assert BuildContext(root=folder).digest() == before
