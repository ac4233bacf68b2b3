"""Files that appear whole or not at all, and files of JSON lines."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

import pytest

from repro.common.io import (
    read_json_lines,
    read_jsonl_file,
    translated,
    whole_file,
    write_json_lines,
    write_to_jsonl_file,
    write_to_text_file,
)
from repro.errors import DataFileError, DiskFull

BOM = b"\xef\xbb\xbf"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def fail_after(target: Path, content: bytes, error: BaseException) -> None:
    with whole_file(target) as file:
        file.write(content)
        raise error


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"

    with whole_file(target) as file:
        file.write(b"one\n")
        file.flush()
        assert not target.exists()
    assert target.read_bytes() == b"one\n"
    assert os.listdir(tmp_path) == ["out.jsonl"]  # noqa: PTH208


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_file_that_is_not_finished_does_not_appear(
    error: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(error):
        fail_after(tmp_path / "out.jsonl", b"one\n", error())

    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_until_the_new_file_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old")

    with pytest.raises(ValueError, match="the model failed"):
        fail_after(target, b"new", ValueError("the model failed"))
    after_the_failure = target.read_text()
    with whole_file(target) as file:
        file.write(b"new")
        before_the_end = target.read_text()

    assert (after_the_failure, before_the_end, target.read_text()) == ("old", "old", "new")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o664, 0o755])
def test_a_file_that_is_replaced_keeps_its_mode(permissions: int, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.touch()
    target.chmod(permissions)

    with whole_file(target) as file:
        file.write(b"new")
    assert (target.read_bytes(), mode(target)) == (b"new", permissions)


@pytest.mark.parametrize(("umask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(
    umask: int, expected: int, tmp_path: Path
) -> None:
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "out.jsonl"):
            pass
        after = os.umask(umask)
    finally:
        os.umask(before)

    assert mode(tmp_path / "out.jsonl") == expected
    assert after == umask


def test_a_link_stays_one_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "data" / "real.jsonl", tmp_path / "out.jsonl"
    real.parent.mkdir()
    real.write_text("old")
    link.symlink_to(real)

    with whole_file(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["data", "out.jsonl", "real.jsonl"]


def test_a_relative_path_is_meant_from_where_one_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with whole_file(Path("out.jsonl")) as file:
        monkeypatch.chdir("/")
        file.write(b"new")
    assert (tmp_path / "out.jsonl").read_bytes() == b"new"


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()

    with pytest.raises(DataFileError, match=rf"^{target}: Is a directory$"), whole_file(target):
        pass
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("folder", "Is a directory"),
        ("./missing/out.jsonl", "No such file or directory"),
        ("folder/../missing/out.jsonl", "No such file or directory"),
        ("link", "Is a directory"),
    ],
)
def test_an_error_names_the_path_as_it_was_given(
    path: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")

    with pytest.raises(DataFileError, match=rf"^{re.escape(path)}: {problem}$"), whole_file(path):
        pass


def test_a_folder_that_is_missing_is_told_before_anything_is_computed(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "out.jsonl"

    with pytest.raises(DataFileError, match=rf"^{target}: No such file or directory$"):
        whole_file(target).__enter__()


def test_a_device_or_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with whole_file(pipe) as file:
            file.write(b"one\n")
        said = os.read(reader, 100) if stat.S_ISFIFO(pipe.stat().st_mode) else b""
    finally:
        os.close(reader)

    assert stat.S_ISFIFO(pipe.stat().st_mode), "as root, /dev/null would be gone as well"
    assert said == b"one\n"
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old")

    with pytest.raises(DiskFull, match=rf"no space left on the device that holds {target}; free"):
        fail_after(target, b"new", OSError(errno.ENOSPC, "No space left on device"))
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_disk_that_fills_up_while_writing_is_told() -> None:
    with (
        pytest.raises(DiskFull, match="that holds /dev/full"),
        translated("/dev/full"),
        Path("/dev/full").open("wb", buffering=0) as file,
    ):
        file.write(b"x")


def test_a_reader_that_has_seen_enough_is_no_error_of_a_file() -> None:
    with pytest.raises(BrokenPipeError), translated("out.jsonl"):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = str(tmp_path / "rows.jsonl")
    rows = [{"text": "Käse\u2028\n💘"}, [1, 2.5, None, True], "", 2**70, 0.1]

    write_json_lines(iter(rows), file)

    assert read_jsonl_file(file) == rows
    assert Path(file).read_text(encoding="utf-8").count("\n") == len(rows)
    assert "Käse" in Path(file).read_text(encoding="utf-8")


def test_no_rows_are_an_empty_file(tmp_path: Path) -> None:
    file = str(tmp_path / "rows.jsonl")

    write_json_lines([], file)

    assert Path(file).read_bytes() == b""
    assert read_jsonl_file(file) == []


def test_a_row_that_is_no_json_is_told_with_its_line_and_nothing_is_written(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"

    with pytest.raises(DataFileError, match=rf"^{file}, line 2: is not JSON: object of type set"):
        write_json_lines([1, {2}], str(file))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n2\n',
        b'{"a": 1}\n2',
        b'\n\n{"a": 1}\n   \n\t\n2\n\n',
        b'{"a": 1}\r\n2\r\n',
        BOM + b'{"a": 1}\n2\n',
        BOM + b'\n{"a": 1}\n2\n',
    ],
)
def test_blank_lines_a_byte_order_mark_and_the_ends_of_lines_are_no_data(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)

    assert read_jsonl_file(str(file)) == [{"a": 1}, 2]


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1}{"a": 2}[3]', b'{"a": 1}{"a": 2}[3]\n', b'\n{"a": 1} {"a": 2}\r\n\n[3] \n'],
)
@pytest.mark.parametrize("before", [b"", BOM])
def test_values_on_one_line_are_read_whatever_white_space_follows(
    before: bytes, content: bytes, tmp_path: Path
) -> None:
    """Defect 21: a trailing newline was an error in the ancestor."""
    file = tmp_path / "rows.json"
    file.write_bytes(before + content)

    assert read_jsonl_file(str(file), single_line=True) == [{"a": 1}, {"a": 2}, [3]]
    assert read_jsonl_file(str(file), True) == [{"a": 1}, {"a": 2}, [3]]


@pytest.mark.parametrize("content", [b"", b"\n\n", BOM])
def test_no_values_on_one_line_are_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes(content)

    assert read_jsonl_file(str(file), single_line=True) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"a": 1}{oops}', "is not JSON: Expecting property name"),
        (b'{"a": 1}{"a"', "is not JSON"),
        (b'{"a": 1}\xff', "is not UTF-8: byte 0xff at offset 8"),
        (b'{}"\\ud800"', "has a lone surrogate"),
        (b"{}" + b"[" * 300 + b"]" * 300, "is nested deeper than 256"),
        (b"{}" + b"[" * 100_000, "is nested deeper than 256"),
    ],
)
def test_values_on_one_line_keep_the_rules_of_json(
    content: bytes, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes(content)

    with pytest.raises(DataFileError, match=rf"^{file}: {problem}"):
        read_jsonl_file(str(file), single_line=True)


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"1\n{oops}\n", 2, "is not JSON: Expecting property name"),
        (b"\n\n\n1 2\n", 4, "is not JSON: Extra data"),
        (b"1\n2\n\xff\n", 3, "is not UTF-8: byte 0xff at offset 0"),
        (b'"\\ud800"\n', 1, "has a lone surrogate"),
        (b"1\n" + BOM + b"2\n", 2, "is not JSON"),
        (b"1\n" + b"[" * 300 + b"\n", 2, "is nested deeper than 256"),
    ],
)
def test_a_line_that_is_no_json_is_told_with_its_number(
    content: bytes, line: int, problem: str, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)

    with pytest.raises(DataFileError, match=rf"^{file}, line {line}: {problem}") as caught:
        read_jsonl_file(str(file))
    assert caught.value.line == line


@pytest.mark.parametrize("place", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told(place: str, tmp_path: Path) -> None:
    problem = "(No such file or directory|Is a directory)"

    with pytest.raises(DataFileError, match=rf"^{tmp_path / place}: {problem}$"):
        read_jsonl_file(str(tmp_path / place))


def test_lines_are_decoded_as_they_are_read() -> None:
    lines = iter([b"1\n", b"oops\n"])
    rows = read_json_lines(lines, "standard input")

    assert next(rows) == 1
    with pytest.raises(DataFileError, match=r"^standard input, line 2: is not JSON"):
        next(rows)


def test_texts_are_written_one_a_line_and_parts_are_joined(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "texts.txt"
    items = [["1a", "1b"], ["2"], "3", "", "Käse"]

    write_to_text_file(items, str(file))
    joined = file.read_text(encoding="utf-8")
    write_to_text_file(items, str(file), separator="<q>")

    assert joined == "1a 1b\n2\n3\n\nKäse\n"
    assert file.read_text(encoding="utf-8") == "1a<q>1b\n2\n3\n\nKäse\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("one\ntwo", r"U\+000A at character 3"),
        ("one\r", r"U\+000D at character 3"),
        ("\n", r"U\+000A at character 0"),
        ("a\u2028b", r"U\+2028 at character 1"),
        ("a\x85b", r"U\+0085 at character 1"),
        (["one", "two\nthree"], r"U\+000A at character 7"),
    ],
)
def test_a_text_with_a_line_break_is_refused_and_nothing_is_written(
    text: str | list[str], place: str, tmp_path: Path
) -> None:
    """Defect 7: it became two lines, and the answers of all that followed were shifted."""
    file = tmp_path / "texts.txt"

    with pytest.raises(
        DataFileError, match=rf"^{file}, line 2: the text has a line break \({place}"
    ):
        write_to_text_file(["zero", text], str(file))
    assert list(tmp_path.iterdir()) == []


def test_a_separator_with_a_line_break_makes_a_file_of_one_text(tmp_path: Path) -> None:
    """As the ancestor's wrapper of ROUGE writes a summary, a sentence a line."""
    file = tmp_path / "summary.txt"

    write_to_text_file([["one", "two"]], str(file), separator="\n")

    assert file.read_text() == "one\ntwo\n"
    with pytest.raises(DataFileError, match="line 2: a second text, where the separator"):
        write_to_text_file([["one", "two"], "three"], str(file), separator="\n")
    assert file.read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (None, "NoneType where a text is expected"),
        (["a", 1], "int where a text"),
        ("\ud800", "has a lone surrogate at character 0"),
    ],
)
def test_what_is_no_text_is_told_with_its_line(item: object, problem: str, tmp_path: Path) -> None:
    file = str(tmp_path / "texts.txt")

    with pytest.raises(DataFileError, match=f"line 2: {problem}"):
        write_to_text_file(["a", item], file)  # type: ignore[list-item]


def test_values_are_written_under_a_key(tmp_path: Path) -> None:
    file = str(tmp_path / "new" / "rows.jsonl")
    items = [["1a", "1b"], ["2"], "3\n4"]

    write_to_jsonl_file(items, "text", file)
    as_they_are = read_jsonl_file(file)
    write_to_jsonl_file(items, "text", file, flatten=True)
    joined = read_jsonl_file(file)
    write_to_jsonl_file(items, "text", file, True, "-")

    assert as_they_are == [{"text": item} for item in items]
    assert joined == [{"text": "1a 1b"}, {"text": "2"}, {"text": "3\n4"}]
    assert read_jsonl_file(file)[0] == {"text": "1a-1b"}


def test_a_value_that_is_no_text_is_not_joined(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="line 1: int where a text is expected"):
        write_to_jsonl_file([3], "text", str(tmp_path / "rows.jsonl"), flatten=True)
