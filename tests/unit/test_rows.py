"""Files of rows: their formats and compressions, read and written one row at a time."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from repro.data import formats
from repro.data.formats import compression_of, format_of
from repro.data.reading import RowFile
from repro.data.writing import RowTarget
from repro.errors import ConfigurationError, DataFileError, OutputError, ReproError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NAMES = ["r.jsonl", "r.csv", "r.txt", "r.parquet", "r.csv.gz", "r.jsonl.zst"]
HEAD = {"instance_id": "0", "model_id": "m"}


def read(path: Path | str, given: str | None = None, field: str = "text") -> list[dict[str, Any]]:
    """Read all rows."""
    with RowFile(str(path), given, field).open() as (rows, _):
        return list(rows)


def write(
    path: Path | str,
    *predictions: Any,
    given: str | None = None,
    more: Iterable[Any] = (),
    **options: Any,
) -> Any:
    """Write predictions; return what wrote them."""
    target = RowTarget(str(path), given, **options)
    with target.open() as writer:
        for index, prediction in enumerate(chain(predictions, more)):
            writer.write({**HEAD, "instance_id": str(index), "prediction": prediction})
    return target


def compress(content: bytes, suffix: str) -> bytes:
    """Compress as the command-line tools do."""
    import zstandard

    return (
        gzip.compress(content) if suffix == ".gz" else zstandard.ZstdCompressor().compress(content)
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.jsonl", "jsonl"),
        ("a.json", "jsonl"),
        ("a", "jsonl"),
        ("-", "jsonl"),
        ("a.csv", "csv"),
        ("a.CSV", "csv"),
        ("a.csv.gz", "csv"),
        ("a.CSV.GZ", "csv"),
        ("a.tsv", "tsv"),
        ("a.tab.zst", "tsv"),
        ("a.txt", "text"),
        ("a.txt.gz", "text"),
        ("a.parquet", "parquet"),
        ("a.csv/b", "jsonl"),
        ("csv", "jsonl"),
    ],
)
def test_a_suffix_tells_the_format(path: str, expected: str) -> None:
    assert format_of(path) == expected


@pytest.mark.parametrize("given", formats.FORMATS)
def test_a_given_format_comes_before_the_suffix(given: str) -> None:
    assert format_of("a.csv", given) == given


def test_an_unknown_format_is_told_with_the_nearest_and_all() -> None:
    with pytest.raises(ConfigurationError) as caught:
        format_of("a", "jsnol")

    assert "'jsnol' is no format of rows; did you mean 'jsonl'?" in str(caught.value)
    assert "there are: jsonl, csv, tsv, text, parquet" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.gz", ".gz"), ("a.GZ", ".gz"), ("a.jsonl.zst", ".zst"), ("a.jsonl", ""), ("gz", "")],
)
def test_a_suffix_tells_the_compression(path: str, expected: str) -> None:
    assert compression_of(path) == expected


@pytest.mark.parametrize(
    "suffix",
    [
        *("jsonl", "csv", "tsv", "txt", "parquet", "jsonl.gz", "csv.gz", "tsv.gz", "txt.gz"),
        *("jsonl.zst", "csv.zst", "tsv.zst", "txt.zst"),
    ],
)
def test_what_was_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    texts = ["plain", "é😀", 'a "quoted", one', "tab\there", "", "  spaces  ", "null", "5"]

    write(path, *texts)

    field = "text" if suffix.startswith("txt") else "prediction"
    assert [row[field] for row in read(path)] == texts


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "tsv", "parquet"])
def test_line_breaks_in_texts_are_read_again(tmp_path: Path, suffix: str) -> None:
    texts = ["one\ntwo", "one\r\ntwo", "end\n", "\n", "\r", "a\u2028b\u0085c"]

    write(tmp_path / f"rows.{suffix}", *texts)

    assert [row["prediction"] for row in read(tmp_path / f"rows.{suffix}")] == texts


@pytest.mark.parametrize("name", NAMES)
def test_the_same_rows_give_the_same_bytes_and_their_hash_is_that_of_the_file(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "other").mkdir()
    contents, hashes = [], []
    for path in (tmp_path / name, tmp_path / "other" / name):
        hashes.append(write(path, "a", "b").sha256)
        contents.append(path.read_bytes())

    assert contents[0] == contents[1]
    assert hashes == [hashlib.sha256(contents[0]).hexdigest()] * 2


@pytest.mark.parametrize("name", NAMES)
def test_the_hash_of_what_was_read_is_that_of_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, *map(str, range(5000)))

    with RowFile(str(path)).open() as (rows, hashed):
        count = sum(1 for _ in rows)

    assert count == 5000
    assert hashed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "tsv", "txt", "jsonl.gz", "csv.zst", "parquet"])
def test_no_rows_are_a_file_of_no_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"none.{suffix}"

    target = write(path)

    assert read(path) == []
    assert target.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_table_has_quotes_commas_and_line_breaks_in_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b'\xef\xbb\xbftext,n\r\n"a ""b"", c",1\r\n"two\nlines",2\r\n,\r\n\r\n')

    assert read(path) == [
        {"text": 'a "b", c', "n": "1"},
        {"text": "two\nlines", "n": "2"},
        {"text": "", "n": ""},
    ]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"text\n", b"text\r\n\r\n", b"\n\n"])
def test_a_table_without_rows_has_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)

    assert read(path) == []


@pytest.mark.parametrize(
    ("content", "problem", "line"),
    [
        (b"a,b\n1,2\n1\n", "has 1 cells, the header has 2", 3),
        (b"a,b\n1,2,3\n", "has 3 cells, the header has 2", 2),
        (b'a,b\n"1\n2",3\n4\n', "has 1 cells, the header has 2", 4),
        (b"a,b,a\n1,2,3\n", "has two columns of one name", 1),
        (b'a\n"open\n', "is no csv: unexpected end of data", 2),
        (b'a\n"x" y\n', "is no csv", 2),
        (b"a\n\xff\n", "is not UTF-8", 2),
    ],
)
def test_a_table_that_is_not_right_is_told_with_its_line(
    tmp_path: Path, content: bytes, problem: str, line: int
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)

    with pytest.raises(DataFileError) as caught:
        read(path)

    assert problem in str(caught.value)
    assert f"line {line}" in str(caught.value)
    assert "in.csv" in str(caught.value)


def test_a_cell_may_be_megabytes_long(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"text\n" + b"x" * 5_000_000 + b"\n")

    assert [len(row["text"]) for row in read(path)] == [5_000_000]


def test_a_table_with_tabs_has_commas_in_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "in.tsv"
    path.write_text('a\tb\n1,2\t"3\t4"\n')

    assert read(path) == [{"a": "1,2", "b": "3\t4"}]


def test_a_line_of_text_is_a_row_whatever_its_end(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n  two \n\nfo\xe2\x80\xa8ur")

    assert read(path, field="sentence") == [
        {"sentence": one} for one in ("one", "  two ", "", "fo\u2028ur")
    ]


def test_a_text_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(b"one\ntwo \xff\n")

    with pytest.raises(DataFileError, match=r"in\.txt, line 2: is not UTF-8"):
        read(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("name", ["in.jsonl", "in.csv", "in.txt"])
def test_a_compressed_file_that_is_cut_off_is_never_a_shorter_one(
    tmp_path: Path, name: str, suffix: str
) -> None:
    rows = b"".join(json.dumps({"n": n}).encode() + b"\n" for n in range(10_000))
    whole = compress(b"n\n1\n" * 10_000 if "csv" in name else rows, suffix)
    path = tmp_path / f"{name}{suffix}"

    for length in (len(whole) - 1, len(whole) // 2, 5):
        path.write_bytes(whole[:length])
        with pytest.raises(DataFileError, match=name):
            read(path)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_stream_tells_itself_how_it_is_compressed(suffix: str) -> None:
    rows = b'{"text": "a"}\n{"text": "b"}\n'
    reading, writing = os.pipe()
    os.write(writing, compress(rows, suffix) if suffix else rows)
    os.close(writing)

    found = read(f"/dev/fd/{reading}")
    os.close(reading)

    assert found == [{"text": "a"}, {"text": "b"}]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_what_is_not_compressed_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in.jsonl{suffix}"
    path.write_text('{"text": "a"}\n')

    with pytest.raises(DataFileError, match=r"in\.jsonl"):
        read(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_file_of_several_compressed_parts_is_read_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in.txt{suffix}"
    path.write_bytes(compress(b"a\n", suffix) + compress(b"b\n", suffix))

    assert read(path) == [{"text": "a"}, {"text": "b"}]


def test_parquet_keeps_types_and_nesting(tmp_path: Path) -> None:
    predictions = [{"a": 1.5, "b": ["x"], "c": {"d": True}}, {"a": 2.0, "b": [], "c": {"d": False}}]

    write(tmp_path / "r.parquet", *predictions)

    assert [row["prediction"] for row in read(tmp_path / "r.parquet")] == predictions


def test_parquet_of_more_rows_than_a_batch_is_whole(tmp_path: Path) -> None:
    write(tmp_path / "r.parquet", *range(2500))

    assert [row["prediction"] for row in read(tmp_path / "r.parquet")] == list(range(2500))


def test_parquet_refuses_rows_of_other_types(tmp_path: Path) -> None:
    with pytest.raises(ReproError, match=r"r\.parquet: Parquet cannot hold these rows"):
        write(tmp_path / "r.parquet", 1, "a")
    assert list(tmp_path.iterdir()) == []


def test_parquet_loses_no_column_that_comes_late(tmp_path: Path) -> None:
    predictions: list[Any] = [{"a": 1}] * 1024 + [{"a": 1, "b": 2}]

    with pytest.raises(ReproError):
        write(tmp_path / "late.parquet", *predictions)


def test_parquet_takes_an_integer_for_a_float_in_a_later_batch(tmp_path: Path) -> None:
    write(tmp_path / "r.parquet", *([1.5] * 1024), 2, None)

    assert [row["prediction"] for row in read(tmp_path / "r.parquet")][-3:] == [1.5, 2.0, None]


def test_parquet_takes_no_float_for_an_integer_in_a_later_batch(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="Parquet cannot hold these rows"):
        write(tmp_path / "r.parquet", *([1] * 1024), 2.5)


def test_parquet_loses_no_field_within_a_batch(tmp_path: Path) -> None:
    write(tmp_path / "r.parquet", {"a": 1}, {"a": 1, "b": 2})

    assert read(tmp_path / "r.parquet")[1]["prediction"] == {"a": 1, "b": 2}


def test_parquet_from_a_stream_is_refused() -> None:
    with pytest.raises(DataFileError, match="Parquet cannot be read from a stream; name a file"):
        read("-", "parquet")


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    path.write_text("text")

    with pytest.raises(DataFileError, match=r"in\.parquet: is no Parquet"):
        read(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_parquet_within_a_compression_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ReproError, match="Parquet"):
        write(tmp_path / f"r.parquet{suffix}", "a")


@pytest.mark.parametrize("prediction", ["a\nb", "a\rb", "\n", 5, None, ["a"], {"a": "b"}])
def test_a_text_file_refuses_what_is_not_one_line(tmp_path: Path, prediction: object) -> None:
    with pytest.raises(OutputError, match="the prediction is not one line of text"):
        write(tmp_path / "out.txt", "fine", prediction)
    assert list(tmp_path.iterdir()) == []


def test_what_is_nested_becomes_columns_with_dots(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    write(path, {"a": {"b": 1.5, "c": None}, "d": [1, "é"], "e": {}, "f": True})

    header, line = path.read_text().splitlines()
    assert header == (
        "instance_id,model_id,prediction.a.b,prediction.a.c,prediction.d,prediction.e,prediction.f"
    )
    assert line == '0,m,1.5,,"[1, ""é""]",{},true'


def test_columns_that_change_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"prediction 1 .*prediction\.b.*write jsonl"):
        write(tmp_path / "out.csv", {"a": 1}, {"a": 1, "b": 2})
    assert list(tmp_path.iterdir()) == []


def test_columns_in_another_order_are_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    write(path, {"a": 1, "b": 2}, {"b": 4, "a": 3})

    assert [(row["prediction.a"], row["prediction.b"]) for row in read(path)] == [
        ("1", "2"),
        ("3", "4"),
    ]


def test_two_values_for_one_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"prediction\.a\.b"):
        write(tmp_path / "out.csv", {"a.b": 1, "a": {"b": 2}})


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "txt", "parquet"])
def test_a_lone_surrogate_is_refused_by_every_format(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ReproError):
        write(tmp_path / f"out.{suffix}", "\ud800")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_nan_is_written_only_where_that_was_asked_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"

    with pytest.raises(OutputError):
        write(path, float("nan"))
    write(path, float("nan"), allow_nan=True)

    assert "NaN" in path.read_text()


def test_standard_input_and_output_are_streams(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text\na\n")))

    rows = read("-", "csv")
    target = write("-", "b", given="text")

    assert rows == [{"text": "a"}]
    assert capfdbinary.readouterr().out == b"b\n"
    assert target.sha256 == hashlib.sha256(b"b\n").hexdigest()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"absent\.csv: No such file"):
        read(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("r.parquet", "pyarrow", "parquet"), ("r.jsonl.zst", "zstandard", "zst")],
)
def test_a_library_that_is_missing_is_told_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str, extra: str
) -> None:
    path = tmp_path / name
    write(path, "a")
    for one in [one for one in sys.modules if one.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, one)
    monkeypatch.setitem(sys.modules, module, None)

    for act in (lambda: read(path), lambda: write(tmp_path / f"other-{name}", "a")):
        with pytest.raises(ConfigurationError, match=rf"pip install 'repro-models\[{extra}\]'"):
            act()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_not_finished_does_not_appear(tmp_path: Path, name: str) -> None:
    def endless() -> Iterator[str]:
        yield from ["a"] * 2000
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / name, more=endless())

    assert list(tmp_path.iterdir()) == []
