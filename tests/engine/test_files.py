"""Files that instances name, and files that models make: warm, cold, and on another machine."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
import tempfile
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import TypedDict

from repro.common.io import read_jsonl_file
from repro.engine import files
from repro.engine.exchange import PREFIX, make_parent
from repro.engine.files import VolumeFiles
from repro.errors import ConfigurationError, InstanceError, ModelError, OutputError
from repro.models import Audio, Content, DockerModel, File, Image, Model
from repro.models.docker_model import Program
from repro.models.failure import Failure
from repro.operations.comparison import Compared, ComparisonJob, compare
from repro.operations.job import PredictionJob
from repro.operations.prediction import check_file, predict_file, predict_one
from repro.operations.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 2**30

LOOK = """
import hashlib, os, sys
from repro_runtime import main

def look(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read(1000)).hexdigest()
    try:
        open(path, "ab").close()
        writable = True
    except OSError:
        writable = False
    beside = os.listdir(os.path.dirname(path))
    return {"path": path, "sha256": digest, "size": os.path.getsize(path), "writable": writable,
            "beside": beside, "links": os.stat(path).st_nlink}

def predict(model, instances):
    if any(i["note"] == "crash once" and os.path.exists("/nowhere") for i in instances):
        os.abort()
    if any(i["note"] == "fail" for i in instances):
        raise ValueError("no")
    return [{"file": look(i["file"]), "other": look(i["other"]),
             "more": [look(one) for one in i["more"]],
             "there": sum(len(names) for _, _, names in os.walk("/files"))} for i in instances]

def dataset(name):
    yield {"input": {"file": "/etc/debian_version"}, "label": 1}

main(lambda: None, predict, dataset=dataset)
"""

MAKE = """
from repro_runtime import content, main

def made(instance):
    if instance["text"] == "wrong":
        return {"audio": {"content": "not base64!", "suffix": ".wav"}, "extra": [], "note": None}
    if instance["text"] == "escape":
        return {"audio": content(b"x", "/../../x"), "extra": [], "note": None}
    text = instance["text"].encode()
    extra = [content(b"%d" % n, ".txt") for n in range(len(text) % 3)]
    return {"audio": content(text + bytes(range(256)), ".wav"), "extra": extra, "note": None}

main(lambda: None, lambda model, instances: [made(one) for one in instances])
"""


class Scored(TypedDict):
    audio: Content
    score: float


class Made(TypedDict):
    audio: Content
    extra: list[Content]
    note: Content | None


@pytest.fixture(scope="module")
def look(bookworm: str) -> type[DockerModel]:
    class Look(DockerModel):
        program = Program(image=bookworm, command=("python", "-c", LOOK))

        def predict(
            self,
            file: File,
            other: Image | None = None,
            more: list[Audio] = [],  # noqa: B006  a default in a schema
            note: str = "",
        ) -> Any:
            return self.answer(file=file, other=other, more=more, note=note)

    return Look


@pytest.fixture(scope="module")
def make(bookworm: str) -> type[DockerModel]:
    class Make(DockerModel):
        program = Program(image=bookworm, command=("python", "-c", MAKE))

        def predict(self, text: str) -> Made:
            return self.answer(text=text)

    return Model.register("test-files-make")(Make)


@pytest.fixture(params=["warm", "cold", "remote", "remote and cold"])
def place(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Say where a model runs, and how."""
    if "remote" in request.param:
        request.getfixturevalue("remote")
    return {"cold": "cold" in request.param}


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content[:1000]).hexdigest()


def test_a_program_gets_the_files_that_an_instance_names_and_nothing_beside_them(
    look: type[DockerModel], place: dict[str, Any], tmp_path: Path
) -> None:
    one, other = write(tmp_path / "a" / "one.bin", b"one"), write(tmp_path / "ö ü.png", b"other")
    write(tmp_path / "a" / "secret", b"not named")
    before = set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))

    with look(**place) as model:
        found = model.predict(file=one, other=str(other), more=[one, other])

    assert found["file"]["sha256"] == sha256(b"one")
    assert found["file"]["path"].endswith("/one.bin")
    assert found["file"]["beside"] == ["one.bin"]
    assert not found["file"]["writable"]
    assert found["other"]["sha256"] == sha256(b"other")
    assert found["other"]["path"].endswith("/ö ü.png")
    assert [f["sha256"] for f in found["more"]] == [sha256(b"one"), sha256(b"other")]
    assert found["there"] == 2, "each is carried once"
    assert (one.read_bytes(), other.read_bytes()) == (b"one", b"other")
    assert set(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")) <= before


def test_files_of_one_name_are_told_apart_and_rows_stay_in_order(
    look: type[DockerModel], place: dict[str, Any], tmp_path: Path
) -> None:
    paths = [write(tmp_path / str(n) / "same.txt", b"%d" % n) for n in range(130)]

    with look(batch_size=50, **place) as model:
        found = model.predict_batch([{"file": path} for path in [*paths, paths[0]]])

    assert [f["file"]["sha256"] for f in found] == [
        *(sha256(b"%d" % n) for n in range(130)),
        sha256(b"0"),
    ]


def test_files_are_taken_away_when_their_batch_is_done(
    look: type[DockerModel], tmp_path: Path
) -> None:
    paths = [write(tmp_path / f"{n}.txt", b"%d" % n) for n in range(60)]

    with look(batch_size=2) as model:
        there = [f["there"] for f in model.predict_stream({"file": path} for path in paths)]
        assert max(there) <= 2 * (4 + 1), "no more than the batches that are taken ahead"
        assert model.predict(file=paths[0])["there"] == 1
        with pytest.raises(ModelError):
            list(model.predict_stream([{"file": paths[0]}, {"file": paths[1], "note": "fail"}]))
        assert model.predict(file=paths[0])["there"] == 1
        stream = model.predict_stream({"file": path} for path in paths)
        next(stream)
        stream.close()
        assert model.predict(file=paths[0])["there"] == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.png", r"names no file that can be read: .*missing\.png: No such file"),
        ("", "is empty, and is to name a file"),
        ("folder", r"is to name a file: .*folder is a directory"),
        ("fifo", "is a FIFO"),
        ("loop", "names no file that can be read: .*Too many levels of symbolic links"),
        ("a\0b", "has a NUL character"),
    ],
)
def test_what_is_no_file_is_told_with_its_row_before_anything_starts(
    name: str, said: str, look: type[DockerModel], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    good = write(tmp_path / "good", b"")
    model = look(image="no-such-image")

    with pytest.raises(InstanceError, match=said) as raised:
        model.predict_batch([{"file": good}, {"file": name if not name else f"{tmp_path}/{name}"}])

    assert raised.value.args[1:3] == (1, "file")


def test_a_file_that_is_not_for_us_is_told(
    look: type[DockerModel], tmp_path: Path, ordinary: Any
) -> None:
    del look
    secret = write(tmp_path / "secret", b"x")
    secret.chmod(0)
    tmp_path.chmod(0o755)

    ran = ordinary.python(
        "from repro.models.schema import Schema\n"
        "from repro.models import File\n"
        "def predict(self, file: File): ...\n"
        f"Schema.of('m', predict).instance({{'file': {str(secret)!r}}}, 3)\n"
    )

    assert "Permission denied" in ran.stderr
    assert "instance 3" in ran.stderr


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_nothing_is_read_outside_the_folder_that_was_allowed(
    look: type[DockerModel], tmp_path: Path, cold: bool
) -> None:
    inside, outside = write(tmp_path / "in" / "a", b"in"), write(tmp_path / "out" / "b", b"out")
    (tmp_path / "in" / "link").symlink_to(outside)

    with look(files_within=str(tmp_path / "in"), cold=cold) as model:
        assert model.predict(file=inside)["file"]["sha256"] == sha256(b"in")
        for path in (outside, tmp_path / "in" / "link", tmp_path / "in" / ".." / "out" / "b"):
            with pytest.raises(InstanceError, match=r"names a file outside .*/in"):
                model.predict(file=path)


@pytest.mark.parametrize("place", ["in/a", "link/a", "out/b", "in/link", "in/../out/b"])
def test_a_dry_run_refuses_the_files_that_the_run_refuses_and_no_others(
    place: str, registered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = write(tmp_path / "out" / "b", b"out")
    (write(tmp_path / "in" / "a", b"in").parent / "link").symlink_to(outside)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "rows.jsonl").write_text(f'{{"file": "in/a"}}\n{{"file": "{place}"}}\n')
    monkeypatch.chdir(tmp_path)
    within = {"files_within": "link"}
    job = PredictionJob(
        model=registered, inputs=("rows.jsonl",), outputs=("out.jsonl",), load_options=within
    )
    one = partial(predict_one, registered, [("file", place)], within, {})

    if place.endswith("/a"):
        assert check_file(job) == 2
        one(dry_run=True)
        predict_file(job)
        return
    for refuse in (check_file, predict_file):
        with pytest.raises(InstanceError, match=r"instance 1 .* names a file outside"):
            refuse(job)
    for dry_run in (True, False):
        with pytest.raises(InstanceError, match="names a file outside"):
            one(dry_run=dry_run)


def test_the_folder_that_was_allowed_stays_what_it_was(
    look: type[DockerModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "in" / "a", b"in")
    monkeypatch.chdir(tmp_path)
    model = look(files_within="in")

    monkeypatch.chdir("/")
    assert model.schema.instance({"file": path}, 0)
    name = "files_within"
    with pytest.raises(AttributeError):
        setattr(model, name, None)


@pytest.mark.parametrize("name", ["", "nowhere", "file"])
def test_what_is_no_folder_is_not_one_within_which_files_are_read(
    name: str, look: type[DockerModel], tmp_path: Path
) -> None:
    write(tmp_path / "file", b"")

    with pytest.raises(ConfigurationError, match="is no folder"):
        look(files_within=name and str(tmp_path / name))


def test_a_file_of_four_gibibytes_is_carried(
    look: type[DockerModel], place: dict[str, Any], tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:  # mostly a hole: the disk need not have as much
        file.write(b"begin")
        file.truncate(4 * GIB + 1)
    if "127.0.0.1" in os.environ.get("DOCKER_HOST", ""):
        with large.open("r+b") as file:  # all of it goes through the socket and onto the disk
            file.truncate(GIB // 4)

    with look(**place) as model:
        found = model.predict(file=large)

    assert found["file"]["size"] == large.stat().st_size
    assert found["file"]["sha256"] == sha256(b"begin" + bytes(1000))


def test_a_private_file_is_copied_and_a_public_one_is_linked(
    look: type[DockerModel], tmp_path: Path
) -> None:
    private, public = write(tmp_path / "private", b"private"), write(tmp_path / "public", b"public")
    private.chmod(0o600)
    public.chmod(0o644)

    with look() as model:
        copied, linked = (model.predict(file=path)["file"] for path in (private, public))
        assert (copied["sha256"], copied["links"]) == (sha256(b"private"), 1)
        assert (linked["sha256"], linked["links"]) == (sha256(b"public"), 2)

    assert (private.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    assert (private.stat().st_nlink, public.stat().st_nlink) == (1, 1)


def test_a_name_that_is_no_text_does_not_matter(look: type[DockerModel], tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.png"
    Path(os.fsdecode(path)).write_bytes(b"odd")

    with look() as model:
        found = model.predict(file=Path(os.fsdecode(path)))["file"]

    assert found["sha256"] == sha256(b"odd")
    assert found["path"].endswith("/file.png")


def test_rows_of_a_data_set_name_files_in_the_image(
    look: type[DockerModel], place: dict[str, Any]
) -> None:
    with look(**place) as model:
        rows = list(model.dataset("any"))
        found = model.predict_batch([row["input"] for row in rows])

    assert found[0]["file"]["path"] == "/etc/debian_version"


def test_a_worker_that_is_lost_gets_the_files_again(
    look: type[DockerModel], tmp_path: Path
) -> None:
    paths = [write(tmp_path / f"{n}.txt", b"%d" % n) for n in range(40)]
    done = []

    with look(batch_size=4, workers=2) as model:
        for found in model.predict_stream({"file": path} for path in paths):
            done.append(found["file"]["sha256"])
            if len(done) == 10:
                for worker in model._pool._workers:
                    model._pool._engine.api.kill(worker._container._id)

    assert done == [sha256(b"%d" % n) for n in range(40)]


# -- files of rows ---------------------------------------------------------------------------------


@pytest.fixture
def registered(look: type[DockerModel]) -> Iterator[str]:
    Model.register("test-files-look", exist_ok=True)(look)
    return "test-files-look"


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "txt"])
def test_paths_are_relative_to_the_file_that_names_them(
    suffix: str, registered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "data" / "images" / "a.png", b"a")
    absolute = write(tmp_path / "elsewhere.png", b"b")
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    source = tmp_path / "data" / f"rows.{suffix}"
    names = ["images/a.png", str(absolute)]
    with source.open("w") as file:
        if suffix == "csv":
            writer = csv.writer(file)
            writer.writerows([["file", "other"], [names[0], ""], [names[1], names[0]]])
        elif suffix == "jsonl":
            file.writelines(json.dumps({"file": name}) + "\n" for name in names)
        else:
            file.writelines(f"{name}\n" for name in names)
    job = PredictionJob(
        model=registered, inputs=(str(source),), outputs=("out.jsonl",), include_input=True
    )

    predict_file(job)

    rows: Any = read_jsonl_file("out.jsonl")
    assert [row["prediction"]["file"]["sha256"] for row in rows] == [sha256(b"a"), sha256(b"b")]
    assert [row["input"]["file"] for row in rows] == names, "as they were given"
    others = [row["prediction"]["other"] for row in rows]
    assert [one and one["sha256"] for one in others] == (
        [None, sha256(b"a")] if suffix == "csv" else [None, None]
    )


def test_a_missing_file_of_a_row_leaves_no_output(registered: str, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text('{"file": "rows.jsonl"}\n{"file": "gone.png"}\n')
    job = PredictionJob(
        model=registered, inputs=(str(source),), outputs=(str(tmp_path / "out.jsonl"),)
    )

    with pytest.raises(InstanceError, match=r"instance 1 .*gone\.png: No such file"):
        predict_file(job)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["rows.jsonl"]


# -- files that a model makes ----------------------------------------------------------------------


def test_a_file_that_a_model_makes_comes_back_as_its_bytes(
    make: type[DockerModel], place: dict[str, Any], tmp_path: Path
) -> None:
    with make(**place) as model:
        found = model.predict(text="ab")

    assert found["audio"] == b"ab" + bytes(range(256))
    assert isinstance(found["audio"], Content)
    assert (found["audio"].suffix, found["extra"], found["note"]) == (".wav", [b"0", b"1"], None)
    path = found["audio"].save(tmp_path / "x.wav")
    assert path.read_bytes() == found["audio"]
    digest = hashlib.sha256(found["audio"]).hexdigest()
    assert found["audio"].summary() == {"bytes": 258, "sha256": digest, "suffix": ".wav"}


@pytest.mark.parametrize(
    ("text", "said"), [("wrong", "not in base64"), ("escape", "suffix '/../../x', which is none")]
)
def test_what_is_no_file_is_an_error(text: str, said: str, make: type[DockerModel]) -> None:
    with make() as model, pytest.raises(OutputError, match=said) as raised:
        model.predict_batch([{"text": "right"}, {"text": text}])

    assert raised.value.index == 1


def test_files_stand_beside_the_rows_that_name_them(
    make: type[DockerModel], tmp_path: Path
) -> None:
    source = tmp_path / "texts.jsonl"
    output, copy = tmp_path / "out" / "made.jsonl", tmp_path / "made.csv"
    output.parent.mkdir()
    job = PredictionJob(model=make.name, inputs=(str(source),), outputs=(str(output), str(copy)))
    for texts in (["a", "bc", "def"], ["xy"]):  # the second run replaces the first one's files
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))

        predict_file(job)

        rows: Any = read_jsonl_file(str(output))
        assert [row["prediction"]["audio"] for row in rows] == [
            f"made.jsonl.files/{n}-audio.wav" for n in range(len(texts))
        ]
        for row, text in zip(rows, texts, strict=True):
            assert (output.parent / row["prediction"]["audio"]).read_bytes()[: len(text)] == (
                text.encode()
            )
            assert [(output.parent / path).read_bytes() for path in row["prediction"]["extra"]] == [
                b"%d" % n for n in range(len(text) % 3)
            ]
        with copy.open() as file:
            (first, *_) = csv.DictReader(file)
        assert (tmp_path / first["prediction.audio"]).is_file(), "relative to this file, too"
    assert len(list((output.parent / "made.jsonl.files").glob("[!.]*"))) == 3


def test_what_a_model_makes_is_what_another_one_takes(
    make: type[DockerModel], registered: str, tmp_path: Path
) -> None:
    (tmp_path / "texts.txt").write_text("one\ntwo\n")
    made, seen = tmp_path / "made.jsonl", tmp_path / "seen.jsonl"

    predict_file(
        PredictionJob(model=make.name, inputs=(str(tmp_path / "texts.txt"),), outputs=(str(made),))
    )
    predict_file(
        PredictionJob(
            model=registered,
            inputs=(str(made),),
            outputs=(str(seen),),
            selection=Selection(rename={"prediction.audio": "file"}, columns=("file",)),
        )
    )

    rows: Any = read_jsonl_file(str(seen))
    assert [row["prediction"]["file"]["sha256"] for row in rows] == [
        sha256(text + bytes(range(256))) for text in (b"one", b"two")
    ]


def test_nothing_is_left_of_a_run_that_fails(make: type[DockerModel], tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("one\nwrong\n")
    job = PredictionJob(
        model=make.name,
        inputs=(str(tmp_path / "texts.txt"),),
        outputs=(str(tmp_path / "made.jsonl"),),
    )

    with pytest.raises(OutputError):
        predict_file(job)

    assert [p.name for p in tmp_path.iterdir()] == ["texts.txt"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "say where to put them with --files DIR"),
        ({"files": "kept", "outputs": ("x.jsonl",)}, r"kept has files that .*, such as mine"),
        ({"outputs": ("x.jsonl",), "resume": True}, "cannot be resumed"),
        ({"outputs": ("/dev/null",)}, "say where to put them with --files DIR"),
        ({"files": "x.jsonl", "outputs": ("x.jsonl",)}, r"x\.jsonl cannot be there"),
        ({"files": "empty", "outputs": ("empty/x.jsonl",)}, "empty/x.jsonl cannot be there"),
        ({"files": "", "outputs": ("x.jsonl",)}, r"^\. is for the files"),
        ({"files": "/proc", "outputs": ("x.jsonl",)}, "is a mount point"),
    ],
)
def test_files_that_could_not_be_put_anywhere_are_refused_before_the_run(
    given: dict[str, Any],
    said: str,
    make: type[DockerModel],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "kept" / "mine", b"precious")
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts.jsonl").write_text('{"text": "a"}\n')

    with pytest.raises(ConfigurationError, match=said):
        predict_file(PredictionJob(model=make.name, inputs=("texts.jsonl",), **given))

    assert (tmp_path / "kept" / "mine").read_bytes() == b"precious"


def test_one_instance_is_described_or_its_files_are_kept(
    make: type[DockerModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    described: Any = predict_one(make.name, [("text", "a")], {}, {})
    kept: Any = predict_one(make.name, [("text", "a")], {}, {}, files="made")

    assert described["audio"]["bytes"] == 257
    assert kept == {"audio": "made/0-audio.wav", "extra": ["made/0-extra.0.txt"], "note": None}
    assert Path("made/0-extra.0.txt").read_bytes() == b"0"


def test_a_forked_child_carries_files_of_its_own(look: type[DockerModel], tmp_path: Path) -> None:
    one, other = write(tmp_path / "one", b"one"), write(tmp_path / "other", b"other")

    with look() as model:
        assert model.predict(file=one)["there"] == 1
        child = os.fork()
        if child == 0:
            status = 1
            try:
                found = model.predict(file=other)
                status = int(found["file"]["sha256"] != sha256(b"other") or found["there"] != 1)
                model.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert model.predict(file=one)["file"]["sha256"] == sha256(b"one")


def test_each_of_several_outputs_of_any_format_has_its_own_paths(
    make: type[DockerModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "texts.txt").write_text("b\n")

    predict_file(
        PredictionJob(model=make.name, inputs=("texts.txt",), outputs=("a/x.parquet", "y.jsonl"))
    )

    (row,) = parquet.read_table("a/x.parquet").column("prediction").to_pylist()
    (other,) = read_jsonl_file("y.jsonl")
    assert row["audio"] == "x.parquet.files/0-audio.wav"
    assert other["prediction"]["audio"] == "a/x.parquet.files/0-audio.wav"


@pytest.mark.parametrize("place", ["warm", "remote"], indirect=True)
def test_threads_that_come_with_the_first_files_share_one_place(
    look: type[DockerModel],
    place: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [write(tmp_path / str(n) / "same.txt", b"%d" % n) for n in range(4)]

    def slowly() -> Path:
        time.sleep(0.2)
        return make_parent()

    def put_slowly(files: VolumeFiles, tar: Iterator[bytes]) -> None:
        time.sleep(0.2)
        put(files, tar)

    put = VolumeFiles._put
    monkeypatch.setattr("repro.engine.files.make_parent", slowly)
    monkeypatch.setattr(VolumeFiles, "_put", put_slowly)

    with look(**place) as model, ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda path: model.predict(file=path), paths))

    assert [one["file"]["sha256"] for one in found] == [sha256(b"%d" % n) for n in range(4)]


def test_a_prediction_that_no_row_can_hold_is_recorded_without_its_files(
    bookworm: str, tmp_path: Path
) -> None:
    code = (
        "from repro_runtime import content, main\n"
        "def one(text): return {'audio': content(b'x', '.wav'), 'score': float(text)}\n"
        "main(lambda: None, lambda model, instances: [one(i['text']) for i in instances])\n"
    )

    @Model.register("test-files-scored", exist_ok=True)
    class Score(DockerModel):
        program = Program(image=bookworm, command=("python", "-c", code))

        def predict(self, text: str) -> Scored:
            return self.answer(text=text)

    (tmp_path / "texts.txt").write_text("1\nnan\n3\n")
    output = tmp_path / "made.jsonl"

    predict_file(
        PredictionJob(
            model="test-files-scored",
            inputs=(str(tmp_path / "texts.txt"),),
            outputs=(str(output),),
            on_error="record",
        )
    )

    rows: Any = read_jsonl_file(str(output))
    assert ["error" in row for row in rows] == [False, True, False]
    made = sorted(path.name for path in (tmp_path / "made.jsonl.files").glob("[!.]*"))
    assert made == ["0-audio.wav", "2-audio.wav"]


def test_a_run_is_not_resumed_over_other_files(registered: str, tmp_path: Path) -> None:
    for n in range(3):
        write(tmp_path / f"{n}.bin", b"%d" % n)
    source, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows = [{"file": f"{n}.bin", "note": ""} for n in range(3)]
    rows[2]["note"] = "fail"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    job = PredictionJob(
        model=registered,
        inputs=(str(source),),
        outputs=(str(output),),
        load_options={"batch_size": 1},
        resume=True,
    )
    with pytest.raises(ModelError):
        predict_file(job)
    before = (tmp_path / "1.bin").stat()

    for content in (b"other", b"another"):  # of a row that is not answered yet
        write(tmp_path / "2.bin", content)
        with pytest.raises(ModelError):
            predict_file(job)
    write(tmp_path / "1.bin", b"other")
    with pytest.raises(ConfigurationError, match="a file that instance 1 names has changed"):
        predict_file(job)
    write(tmp_path / "1.bin", b"1")
    os.utime(tmp_path / "1.bin", ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelError):  # of the third row, as before
        predict_file(job)
    (tmp_path / "2.bin").unlink()
    with pytest.raises(InstanceError, match=r"instance 2 .*2\.bin: No such file"):
        predict_file(job)
    write(tmp_path / "2.bin", b"again")
    with pytest.raises(ModelError):
        predict_file(job)


@pytest.mark.parametrize("on_error", ["raise", "record"])
def test_a_program_without_workers_is_given_and_answers_more_than_is_held(
    on_error: Any, make: type[DockerModel], look: type[DockerModel], tmp_path: Path
) -> None:
    text, count, wrong = "x" * 2**19, 64, {0, 30, 63} if on_error == "record" else set()
    path = write(tmp_path / "a", b"a")
    texts = ("wrong" if n in wrong else f"{n} {text}" for n in range(count))
    noted = ({"file": path, "note": text} for _ in range(count))

    tracemalloc.start()
    try:
        with make(cold=True) as maker, look(cold=True) as looker:
            stream = maker.predict_stream(({"text": one} for one in texts), on_error=on_error)
            made = [
                one if isinstance(one, Failure) else int(one["audio"].split()[0]) for one in stream
            ]
            seen = sum(1 for _ in looker.predict_stream(noted, on_error=on_error))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [n for n, one in enumerate(made) if isinstance(one, Failure)] == sorted(wrong)
    assert [one.index if isinstance(one, Failure) else one for one in made] == list(range(count))
    assert seen == count
    assert peak < count * len(text) / 2


@pytest.mark.parametrize("place", ["remote", "remote and cold"], indirect=True)
def test_a_file_that_shrinks_while_it_is_sent_is_told_with_its_row(
    look: type[DockerModel],
    place: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [write(tmp_path / f"{n}.bin", bytes(2**20 + n)) for n in range(3)]

    def shrinking(file: Any, size: int, *given: Any) -> Iterator[bytes]:
        if size == paths[1].stat().st_size:
            os.truncate(paths[1], 10)
        yield from pieces(file, size, *given)

    pieces = files._pieces
    monkeypatch.setattr(files, "_pieces", shrinking)

    with look(**place) as model:
        with pytest.raises(InstanceError, match=rf"{paths[1]}, which became shorter") as raised:
            model.predict_batch([{"file": path} for path in paths])
        assert raised.value.args[1:3] == (1, "file")
        assert [one["file"]["size"] for one in model.predict_batch([{"file": paths[1]}])] == [10]


@pytest.mark.parametrize("place", ["warm", "remote"], indirect=True)
def test_a_file_that_fails_while_it_is_carried_is_told_with_its_row(
    look: type[DockerModel], place: dict[str, Any], tmp_path: Path
) -> None:
    good = write(tmp_path / "good", b"good")

    with look(**place) as model:
        with pytest.raises(InstanceError, match="/proc/self/mem, which cannot be") as raised:
            model.predict_batch([{"file": good}, {"file": "/proc/self/mem"}])  # no first page
        assert raised.value.args[1:3] == (1, "file")
        assert model.predict(file=good)["file"]["sha256"] == sha256(b"good")


@pytest.mark.parametrize("place", ["warm", "remote"], indirect=True)
def test_a_file_without_a_size_is_carried_or_refused_but_never_empty(
    look: type[DockerModel], place: dict[str, Any]
) -> None:
    version = Path("/proc/version").read_bytes()

    with look(**place) as model:
        if "127.0.0.1" in os.environ.get("DOCKER_HOST", ""):  # which is told the size first
            with pytest.raises(InstanceError, match="does not say how long it is"):
                model.predict(file="/proc/version")
        else:
            assert model.predict(file="/proc/version")["file"]["sha256"] == sha256(version)


@pytest.mark.parametrize("stream", ["standard input", "pipe"])
def test_models_are_compared_over_files_that_a_stream_names(
    stream: str, registered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "data" / "a", b"1234")
    monkeypatch.chdir(tmp_path)
    reading, writing = os.pipe()
    os.write(writing, b'{"file": "data/a"}\n')
    os.close(writing)
    models = (Compared(name=registered), Compared(name=registered, label="again"))

    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        path = "-" if stream == "standard input" else f"/dev/fd/{reading}"
        found = compare(ComparisonJob(models=models, inputs=(path,)))

    assert (found.rows, found.failures, found.failed) == (1, {}, {registered: 0, "again": 0})
