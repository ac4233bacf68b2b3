"""Which fields name files, and which parts of a prediction are files."""

from __future__ import annotations

import errno
import os
import pickle
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from annotated_types import Len
from typing_extensions import TypedDict

from repro.engine.files import _link_or_copy
from repro.errors import ConfigurationError, InstanceError, OutputError
from repro.models import Audio, Content, File, Image
from repro.models.files import HOST, IMAGE, InImage, contents_in, plain, unpacked
from repro.models.schema import Schema, type_name

if TYPE_CHECKING:
    from collections.abc import Callable


class Nested(TypedDict):
    image: Image


class Speech(TypedDict):
    audio: Annotated[Content, "a WAV file"]
    parts: list[Content]
    score: float


def schema_of(predict: Callable[..., Any]) -> Schema:
    return Schema.of("m", predict)


def test_a_type_of_files_is_named_as_it_is_written() -> None:
    assert type_name(File) == "File"
    assert type_name(Image | None) == "Image | None"
    assert type_name(list[Audio]) == "list[Audio]"


def test_files_are_found_wherever_they_may_stand() -> None:
    def predict(
        self: Any,
        text: str,
        image: Image,
        pages: Annotated[list[File], Len(1)],
        audio: Audio | None = None,
    ) -> Any: ...

    assert [field.name for field in schema_of(predict).files] == ["image", "pages", "audio"]


def test_files_where_nobody_looks_for_them_are_refused() -> None:
    def nested(self: Any, page: Nested) -> Any: ...
    def named(self: Any, pages: dict[str, File]) -> Any: ...
    def option(self: Any, text: str, *, lexicon: File) -> Any: ...

    for predict in (nested, named, option):
        with pytest.raises(ConfigurationError, match="file"):
            _ = schema_of(predict).files


def test_an_instance_says_where_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(self: Any, image: Image, more: list[File] = []) -> Any: ...  # noqa: B006

    monkeypatch.chdir(tmp_path)
    Path("a.png").touch()
    checked = schema_of(predict).instance({"image": Path("a.png"), "more": [InImage("/b")]}, 0)

    assert checked == {"image": {HOST: str(tmp_path / "a.png")}, "more": [{IMAGE: "/b"}]}
    for wrong in (3, ["a.png"], None):
        with pytest.raises(InstanceError, match="is not Image"):
            schema_of(predict).instance({"image": wrong}, 0)


def test_paths_are_relative_to_a_folder_only_where_they_are_files() -> None:
    def predict(self: Any, text: str, image: Image, more: list[File] = []) -> Any: ...  # noqa: B006

    given = {"text": "x", "image": "a.png", "more": ["b", "/c"]}
    located = schema_of(predict).located(given, "/data")

    assert located == {"text": "x", "image": "/data/a.png", "more": ["/data/b", "/c"]}
    assert given["image"] == "a.png"


def test_files_in_a_prediction_become_contents() -> None:
    def predict(self: Any, text: str) -> Speech: ...

    schema = schema_of(predict)
    sent = {"content": "YQ==", "suffix": ".wav"}
    found = schema.received({"audio": sent, "parts": [sent], "score": 1.0}, 0)

    assert schema.has_contents
    assert [(where, bytes(one)) for where, one in contents_in(found)] == [
        ("audio", b"a"),
        ("parts.0", b"a"),
    ]
    assert plain(found)["parts"][0]["bytes"] == 1
    for wrong in ("YQ==", None, {"content": "YQ=="}, {"content": 1, "suffix": ""}):
        with pytest.raises(OutputError):
            schema.received({"audio": wrong, "parts": [], "score": 1.0}, 0)


def test_a_content_is_pickled_with_its_suffix() -> None:
    again = pickle.loads(pickle.dumps(Content(b"a", ".wav")))

    assert (again, again.suffix) == (b"a", ".wav")


def test_a_path_leads_where_the_system_says_also_beyond_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "sub")
    (tmp_path / "real" / "b.txt").write_text("right")
    (tmp_path / "b.txt").write_text("wrong")

    def predict(self: object, file: File) -> None: ...

    checked: Any = Schema.of("m", predict).instance({"file": "link/../b.txt"}, 0)

    assert Path(unpacked(checked["file"][HOST])).read_text() == "right"


def test_a_copy_for_which_there_is_too_little_space_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_file_system(*_: object) -> int:
        raise OSError(errno.EXDEV, "other file system")

    monkeypatch.setattr(os, "copy_file_range", other_file_system)
    private = tmp_path / "private"
    private.write_bytes(bytes(100_000))
    private.chmod(0o600)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    with private.open("rb", buffering=0) as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, limits[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                _link_or_copy(file, tmp_path / "copy")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
