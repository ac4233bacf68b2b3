"""The folder of files that a model has made: what it replaces, and how rows name what is in it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from repro.errors import ConfigurationError
from repro.models.files import Content
from repro.operations.contents import content_folder

if TYPE_CHECKING:
    from pathlib import Path

MADE: Any = {"audio": Content(b"made", ".wav")}


def test_a_folder_that_a_run_has_made_is_replaced(tmp_path: Path) -> None:
    for number in (0, 1):
        with content_folder(str(tmp_path / "made")) as folder:
            folder.write(MADE, number)

    assert [path.name for path in (tmp_path / "made").glob("[!.]*")] == ["1-audio.wav"]


@pytest.mark.parametrize("name", ["0001.jpg", "2023-report.docx", "0-audio.wav", "2021/thesis.odt"])
@pytest.mark.parametrize("earlier", [False, True])
def test_files_of_somebody_else_are_kept_whatever_they_are_called(
    name: str, earlier: bool, tmp_path: Path
) -> None:
    if earlier:
        with content_folder(str(tmp_path / "made")) as folder:
            folder.write(MADE, 17)
    mine = tmp_path / "made" / name
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_bytes(b"precious")

    with (
        pytest.raises(ConfigurationError, match="has files that no prediction has made"),
        content_folder(str(tmp_path / "made")),
    ):
        raise AssertionError

    assert mine.read_bytes() == b"precious"


def test_an_empty_folder_keeps_its_rights_and_the_working_directory_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made").chmod(0o2770)
    with content_folder(str(tmp_path / "made")) as folder:
        folder.write(MADE, 0)
    assert (tmp_path / "made").stat().st_mode & 0o7777 == 0o2770

    monkeypatch.chdir(tmp_path / "made")
    with pytest.raises(ConfigurationError, match="working directory"), content_folder("."):
        raise AssertionError


def test_rows_beyond_a_link_name_files_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "large" / "disk").mkdir(parents=True)
    (tmp_path / "scratch").symlink_to(tmp_path / "large" / "disk")

    for place in (tmp_path / "made", tmp_path / "scratch" / "out.jsonl.files"):
        with content_folder(str(place)) as folder:
            folder.write(MADE, 0)
            named: Any = folder.named(MADE, 0, str(tmp_path / "scratch" / "out.jsonl"))
        assert (tmp_path / "scratch" / named["audio"]).read_bytes() == b"made"

    assert named["audio"] == "out.jsonl.files/0-audio.wav"


@pytest.mark.parametrize("published", [False, True])
def test_an_earlier_folder_is_there_again_if_the_rows_cannot_be_written(
    published: bool, tmp_path: Path
) -> None:
    with content_folder(str(tmp_path / "made")) as folder:
        folder.write(MADE, 0)

    with suppress(OSError), content_folder(str(tmp_path / "made")) as folder:
        folder.write(MADE, 1)
        if published:
            folder.publish()
        raise OSError

    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert [path.name for path in (tmp_path / "made").glob("[!.]*")] == ["0-audio.wav"]


def test_files_that_other_rows_name_are_kept_as_long_as_these_are_there(tmp_path: Path) -> None:
    place, rows = str(tmp_path / "made"), [tmp_path / "odd\nname.jsonl", tmp_path / "b.jsonl"]
    for path in rows:
        path.touch()
    with content_folder(place, [str(rows[0]), "-"]) as folder:
        folder.write(MADE, 0)

    for others in ([str(rows[1])], [], ["-"]):
        with (
            pytest.raises(ConfigurationError, match=r"(?s)has the files that .*name\.jsonl names"),
            content_folder(place, others),
        ):
            raise AssertionError

    moved = tmp_path / "moved"
    moved.mkdir()
    for path in (tmp_path / "made", *rows):
        path.rename(moved / path.name)
    with content_folder(str(moved / "made"), [str(moved / path.name) for path in rows]):
        pass
    rows = [moved / path.name for path in rows]
    rows[0].unlink()
    with content_folder(str(moved / "made"), [str(rows[1])]) as folder:
        folder.write(MADE, 1)
    assert [path.name for path in (moved / "made").glob("[!.]*")] == ["1-audio.wav"]


@pytest.mark.parametrize("said", ["", "precious", "0-audio.wav\n", "[", "7\n0-audio.wav\n"])
def test_what_somebody_else_calls_as_we_do_says_nothing(said: str, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / ".made").write_text(said)
    (tmp_path / "made" / "0-audio.wav").touch()

    with (
        pytest.raises(ConfigurationError, match="such as 0-audio"),
        content_folder(str(tmp_path / "made")),
    ):
        raise AssertionError
