"""What killed processes leave beside the place of what they were making, and what live ones do."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from repro.common.io import whole_file
from repro.models.files import Content
from repro.operations.contents import content_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "with whole_file(place) as made:\n    made.write(b'theirs')\n    "
FOLDER = (
    "with content_folder(place) as made:\n"
    "    made.write({'audio': Content(b'theirs', '.wav')}, 0)\n    "
)
WAIT = "print(flush=True); input()"
DIE_BETWEEN_RENAMES = """
    rename, done = Path.rename, []
    def die(path, target):
        if done: os.kill(os.getpid(), 9)
        done.append(rename(path, target))
    Path.rename = die
"""


def started(place: Path, code: str) -> subprocess.Popen[bytes]:
    """Start a process that makes something."""
    imports = (
        "import os\n"
        "from pathlib import Path\n"
        "from repro.common.io import whole_file\n"
        "from repro.models.files import Content\n"
        "from repro.operations.contents import content_folder\n"
        f"place = {str(place)!r}\n"
    )
    words = [sys.executable, "-c", imports + code]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@contextmanager
def at_work(place: Path, code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have a process that is in the middle of making something; it dies with the block."""
    with started(place, code + WAIT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"\n"
            yield process
        finally:
            process.kill()


def make(place: Path, code: str) -> None:
    """Make the same here."""
    if code == FILE:
        with whole_file(place) as file:
            file.write(b"ours")
    else:
        with content_folder(str(place)) as folder:
            folder.write({"audio": Content(b"ours", ".wav")}, 0)


def read(place: Path) -> bytes:
    return (place / "0-audio.wav" if place.is_dir() else place).read_bytes()


@pytest.mark.parametrize("code", [FILE, FOLDER], ids=["file", "folder"])
def test_what_a_killed_process_has_left_is_removed_by_the_next_one(
    code: str, tmp_path: Path
) -> None:
    place = tmp_path / "made"
    with at_work(place, code):
        pass
    (left,) = tmp_path.iterdir()
    assert left != place

    make(place, code)

    assert list(tmp_path.iterdir()) == [place]
    assert read(place) == b"ours"


@pytest.mark.parametrize("code", [FILE, FOLDER], ids=["file", "folder"])
def test_what_another_process_is_making_is_left_to_it(code: str, tmp_path: Path) -> None:
    place = tmp_path / "made"
    with at_work(place, code) as process:
        make(place, code)
        between = read(place)
        process.communicate(b"\n", timeout=30)

    assert (between, read(place), process.returncode) == (b"ours", b"theirs", 0)
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("fails", [False, True])
def test_a_folder_that_a_killed_process_was_about_to_replace_is_not_lost(
    fails: bool, tmp_path: Path
) -> None:
    place = tmp_path / "made"
    make(place, FOLDER)
    with started(place, FOLDER + DIE_BETWEEN_RENAMES) as process:
        pass
    assert (process.returncode, place.exists()) == (-9, False)

    if fails:
        with pytest.raises(KeyboardInterrupt), content_folder(str(place)):
            raise KeyboardInterrupt
    else:
        make(place, FOLDER)

    assert list(tmp_path.iterdir()) == [place]
    assert read(place) == b"ours"


def test_many_at_once_make_whole_files_and_leave_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "made"

    def write(number: int) -> int:
        for _ in range(50):
            with whole_file(place) as file:
                file.write(b"%d" % number * 1000)
                file.flush()
        return len(set(place.read_text()))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(write, range(8))) == [1] * 8

    assert list(tmp_path.iterdir()) == [place]


def test_what_somebody_has_put_there_is_no_way_to_other_files(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / ".made.unfinished-0").symlink_to(precious)
    os.link(precious, tmp_path / ".made.unfinished-1")

    make(tmp_path / "made", FILE)

    assert precious.read_text() == "precious"
    assert read(tmp_path / "made") == b"ours"
