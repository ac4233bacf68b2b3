"""Images: what a build leaves when it fails and when it succeeds, and what it is made from."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from repro import __version__
from repro.engine import base, recipe
from repro.engine import image as images
from repro.engine.client import connect
from repro.engine.container import run
from repro.engine.context import CONTEXT_LABEL, BuildContext
from repro.engine.lock import one_at_a_time
from repro.engine.recipe import Recipe
from repro.engine.spec import ContainerSpec
from repro.errors import BuildError, DiskFull, EngineUnavailable, ImageNotFound, ImageOutdated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from repro.engine.client import Engine

NAME = "repro-test/sample:1"


@pytest.fixture
def folder(tmp_path: Path, bookworm: str) -> Path:
    """A folder that an image can be built from."""
    root = tmp_path / "package"
    (root / "src" / "deep").mkdir(parents=True)
    (root / "Dockerfile").write_text(f"FROM {bookworm}\nCOPY src /app\n")
    (root / "src" / "run.py").write_text("print('run')\n")
    (root / "src" / "deep" / "data.txt").write_text("data\n")
    return root


@pytest.fixture
def build(engine: Engine, folder: Path) -> Iterator[Callable[..., images.Image]]:
    """Build the folder under a name that is gone afterwards, with the layers of a failed build."""

    def make(**options: object) -> images.Image:
        return images.build(engine, BuildContext(root=folder), NAME, **options)

    yield make
    images.remove(engine, NAME)
    images.remove(engine, images.unfinished(NAME))


def fail(folder: Path, bookworm: str) -> None:
    (folder / "Dockerfile").write_text(
        f"FROM {bookworm}\n"
        "RUN head -c 8 /dev/urandom | od -A n -t x1 > /first && echo the first step\n"
        "RUN echo some words; echo last words >&2; exit 7\n"
    )


def test_a_failing_build_names_the_step_and_its_last_lines(engine, folder, bookworm, build):
    fail(folder, bookworm)
    containers = {c["Id"] for c in engine.api.containers(all=True)}

    with pytest.raises(BuildError) as caught:
        build()

    message = str(caught.value)
    assert caught.value.step == "step 3/3: RUN echo some words; echo last words >&2; exit 7"
    assert f"building {NAME} failed at step 3/3: RUN echo some words" in message
    assert "it ended with status 7" in message
    assert sorted(caught.value.lines) == ["last words", "some words"]
    assert {"    some words", "    last words"} <= set(message.splitlines())
    assert "the first step" not in message
    assert "\x1b" not in message  # no colours
    assert {c["Id"] for c in engine.api.containers(all=True)} <= containers
    assert images.find(engine, NAME) is None


def test_a_build_after_a_fix_starts_from_the_layers_that_were_kept(engine, folder, bookworm, build):
    fail(folder, bookworm)
    with pytest.raises(BuildError):
        build()
    kept = images.find(engine, images.unfinished(NAME))
    engine.api.prune_images(filters={"dangling": True})  # what has no name is not safe
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("exit 7", "exit 0"))
    lines: list[str] = []

    build(on_line=lines.append)

    assert kept is not None
    second = lines.index(next(line for line in lines if line.upper().startswith("STEP 2/3")))
    told = " ".join(lines[second + 1 : second + 3])  # in two lines, or in one by podman
    cached = re.search(r"--> Using cache (?:.*---> )?([0-9a-f]{12,})", told)
    assert cached is not None, told
    assert kept.id.removeprefix("sha256:").startswith(cached[1])
    assert images.find(engine, images.unfinished(NAME)) is None


def test_failing_again_keeps_the_layers_of_the_last_try_alone(engine, folder, bookworm, build):
    fail(folder, bookworm)
    dockerfile = folder / "Dockerfile"
    kept = []
    for word in ("first", "other"):
        dockerfile.write_text(dockerfile.read_text().replace("first step", f"{word} step"))
        with pytest.raises(BuildError):
            build()
        kept.append(images.find(engine, images.unfinished(NAME)))

    first, second = kept
    assert first.id != second.id
    assert images.find(engine, first.id) is None


def test_a_failing_build_leaves_the_image_there_is(engine, folder, bookworm, build):
    before = build()
    fail(folder, bookworm)

    with pytest.raises(BuildError):
        build()

    assert images.find(engine, NAME).id == before.id


def test_a_dockerfile_that_cannot_be_read_as_one_is_a_build_error(folder, bookworm, build):
    (folder / "Dockerfile").write_text(f"FROM {bookworm}\nRUUN true\n")

    with pytest.raises(BuildError, match=r'(?i)unknown instruction: "?RUUN'):
        build()


def test_a_file_to_copy_that_is_not_there_is_a_build_error(folder, bookworm, build):
    (folder / "Dockerfile").write_text(f"FROM {bookworm}\nCOPY missing.txt /app/\n")

    with pytest.raises(BuildError, match=r"failed at step 2/2: COPY missing.txt.*missing.txt"):
        build()


def nameless(engine: Engine) -> set[str]:
    return {image["Id"] for image in engine.api.images(filters={"dangling": True})}


def test_a_parent_that_no_registry_has_is_named_within_ten_seconds(folder, build):
    (folder / "Dockerfile").write_text("FROM no-such-registry.invalid/nothing:1\n")
    started = time.monotonic()

    with pytest.raises(ImageNotFound, match=r"the image no-such-registry.invalid/nothing:1 cannot"):
        build()

    assert time.monotonic() - started < 10


def test_a_parent_whose_registry_is_silent_is_named_within_ten_seconds(folder, build):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        parent = f"127.0.0.1:{silent.getsockname()[1]}/nothing:1"
        (folder / "Dockerfile").write_text(f"ARG PARENT={parent}\nFROM ${{PARENT}} AS base\n")
        started = time.monotonic()

        with pytest.raises(ImageNotFound, match=f"the image {parent} cannot be pulled"):
            build()

        assert time.monotonic() - started < 10


def test_stages_and_scratch_are_no_parents_to_look_for(engine, folder, bookworm, build):
    (folder / "Dockerfile").write_text(
        "ARG BASE\nFROM --platform=linux/amd64 ${BASE} AS made\nRUN echo made > /made\n"
        "FROM scratch AS nothing\nCOPY --from=made /made /made\n"
        "FROM made\nCOPY --from=nothing /made /again\n"
    )
    before = nameless(engine)

    build(arguments={"BASE": bookworm})

    run(engine, ContainerSpec(image=NAME, command=("cmp", "/made", "/again")))
    for stage in nameless(engine) - before:  # the classic builder keeps a stage as its cache
        engine.api.remove_image(stage)


def test_a_rebuild_replaces_the_image_and_leaves_no_layer_without_a_name(engine, folder, build):
    first = build()
    (folder / "src" / "run.py").write_text("print('changed')\n")

    second = build()

    assert second.id != first.id
    assert images.find(engine, NAME).id == second.id
    assert images.find(engine, first.id) is None


def test_a_build_of_the_same_files_makes_the_same_image(build):
    assert build().id == build().id


def test_an_image_carries_its_labels(engine, build):
    labels = {"repro.package": "sample", "org.opencontainers.image.title": "A Sample: ü"}

    built = build(labels=labels)

    assert labels.items() <= built.labels.items()
    assert labels.items() <= images.find(engine, NAME).labels.items()


def test_files_in_an_image_belong_to_root_and_can_be_read_by_all(folder, build, inside):
    (folder / "src" / "run.py").chmod(0o600)
    (folder / "src" / "deep").chmod(0o700)
    build()
    code = """
import json, os
print(json.dumps([[oct(s.st_mode & 0o7777), s.st_uid, s.st_gid] for s in
                  map(os.stat, ["/app/run.py", "/app/deep", "/app/deep/data.txt"])]))
"""

    assert inside(code, image=NAME) == [["0o644", 0, 0], ["0o755", 0, 0], ["0o644", 0, 0]]


def test_an_image_that_is_not_there_is_not_found(engine):
    assert images.find(engine, "repro-test/none:1") is None
    images.remove(engine, "repro-test/none:1")


def test_an_image_is_outdated_once_its_files_change(engine, folder, bookworm, build):
    (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY src /app\n")
    made = Recipe(
        package="sample",
        name=NAME,
        context=BuildContext(root=folder),
        suite="bookworm",
        labels={"repro.package": "sample"},
    )
    with pytest.raises(ImageNotFound, match=r"`repro setup sample` builds it"):
        recipe.check(engine, made)

    built = recipe.build(engine, made)

    assert recipe.check(engine, made) == built
    assert built.labels["repro.context"] == made.digest()
    assert built.labels["repro.package"] == "sample"
    (folder / "src" / "run.py").write_text("print('changed')\n")
    with pytest.raises(ImageOutdated, match=r"`repro setup sample` builds it"):
        recipe.check(engine, made)


def digest(folder: Path, **options: object) -> str:
    return BuildContext(root=folder, **options).digest()


def names(folder: Path) -> list[str]:
    return [name for name, _, _ in BuildContext(root=folder).files()]


def test_a_digest_does_not_see_times_umask_and_place(folder, tmp_path):
    before = digest(folder)
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    for path in copy.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1, 1))
    (copy / "empty").mkdir()  # a wheel carries none

    assert digest(copy) == before


CHANGES = {
    "an executable bit": lambda f: (f / "src" / "run.py").chmod(0o755),
    "a content": lambda f: (f / "src" / "run.py").write_text("print('ruN')\n"),
    "a name": lambda f: (f / "src" / "run.py").rename(f / "src" / "ran.py"),
    "a place": lambda f: (f / "src" / "run.py").rename(f / "run.py"),
    "one more file": lambda f: (f / "src" / "empty").touch(),
    "the Dockerfile": lambda f: (f / "Dockerfile").write_text("FROM scratch\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_digest_sees(folder, change):
    before = digest(folder)

    CHANGES[change](folder)

    assert digest(folder) != before


def test_a_digest_sees_which_dockerfile_is_used_and_what_else_counts(folder):
    shutil.copy(folder / "Dockerfile", folder / "Dockerfile.other")

    digests = {
        digest(folder),
        digest(folder, dockerfile="Dockerfile.other"),
        digest(folder, extra={"arguments": {"A": "1"}}),
        digest(folder, extra={"arguments": {"A": "2"}}),
    }

    assert len(digests) == 4


def test_what_stands_beside_an_image_is_not_in_its_context(folder):
    before = digest(folder)
    for name in (
        "model.toml",
        "Readme.md",
        "examples.jsonl",
        "ledger.json",
        "image.lock",
        ".image.lock.unfinished-0",
    ):
        (folder / name).write_text("beside")
    for name in ("__init__.py", "model.py", "py.typed"):
        (folder / name).write_text("for the host")
    for name in ("claims", "examples", "tests", "src/__pycache__"):
        (folder / name).mkdir()
        (folder / name / "file.pyc").write_text("beside")
    (folder / "src" / "run.pyc").write_text("beside")

    assert names(folder) == ["Dockerfile", "src/deep/data.txt", "src/run.py"]
    assert digest(folder) == before


def test_a_file_of_such_a_name_further_down_is_in_the_context(folder):
    for name in ("model.toml", "examples.jsonl", "tests", "__init__.py", "model.py"):
        (folder / "src" / name).write_text("needed")

    assert {"src/model.toml", "src/examples.jsonl", "src/tests"} <= set(names(folder))
    assert {"src/__init__.py", "src/model.py"} <= set(names(folder))


def test_a_dockerignore_is_honoured(folder):
    (folder / ".dockerignore").write_text("# a comment\n\n**/*.txt\n!src/kept.txt\nbig\n")
    (folder / "src" / "kept.txt").write_text("kept")
    (folder / "big").mkdir()
    (folder / "big" / "file").write_text("big")

    assert names(folder) == ["Dockerfile", "src/kept.txt", "src/run.py"]


@pytest.mark.parametrize("kind", ["a link to a file", "a link to a directory", "a FIFO"])
def test_what_is_neither_file_nor_directory_is_refused(folder, tmp_path, build, kind):
    target = folder / "src" / "odd"
    match kind:
        case "a link to a file":
            target.symlink_to("/etc/hostname")
        case "a link to a directory":
            target.symlink_to(tmp_path)
        case _:
            os.mkfifo(target)

    with pytest.raises(BuildError, match=r"src/odd: it is neither a file nor a directory"):
        build()


def test_the_tar_of_a_context_says_nothing_of_who_made_it_and_when(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    os.utime(copy / "src" / "run.py", (1, 1))
    (copy / "src" / "run.py").chmod(0o600)
    (folder / "src" / "go").write_text("#!/bin/sh\n")
    shutil.copy(folder / "src" / "go", copy / "src" / "go")
    for root in (folder, copy):
        (root / "src" / "go").chmod(0o744)

    one, other = io.BytesIO(), io.BytesIO()
    BuildContext(root=folder).write_tar(one)
    BuildContext(root=copy).write_tar(other)

    assert one.getvalue() == other.getvalue()
    one.seek(0)
    with tarfile.open(fileobj=one) as tar:
        members = {m.name: (m.mode, m.uid, m.gid, m.uname, m.mtime) for m in tar}
    nobody = (0, 0, "", 0)
    assert members == {
        "Dockerfile": (0o644, *nobody),
        "src": (0o755, *nobody),
        "src/deep": (0o755, *nobody),
        "src/deep/data.txt": (0o644, *nobody),
        "src/go": (0o755, *nobody),
        "src/run.py": (0o644, *nobody),
    }


def test_a_base_image_is_made_once(engine, bookworm):
    before = images.find(engine, bookworm)
    lines: list[str] = []
    started = time.monotonic()

    assert base.ensure_base(engine, "bookworm", lines.append) == bookworm

    assert time.monotonic() - started < 2
    assert lines == []
    assert images.find(engine, bookworm) == before


def test_a_base_image_says_what_it_is(engine, bookworm):
    found = images.find(engine, bookworm)

    assert bookworm == f"repro-base:{base.base_digest('bookworm')[:12]}-bookworm"
    assert found.labels["repro.base"] == base.base_digest("bookworm")
    assert found.labels["org.opencontainers.image.title"] == "repro-base bookworm"
    assert found.labels["org.opencontainers.image.version"] == __version__
    assert images.find(engine, f"repro-base:{__version__}-bookworm").id == found.id
    has_certificates = bool(base.certificate_bundle(engine))
    assert (base.CERTIFICATES_LABEL in found.labels) == has_certificates


def test_a_site_may_have_images_without_its_certificates(engine, monkeypatch):
    monkeypatch.setenv("REPRO_CA_BUNDLE", "")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/bundle.pem")

    assert base.certificate_bundle(engine) == b""


def test_bases_of_other_suites_have_other_names():
    suites = ("bookworm", "bullseye", "trixie")

    assert len({base.base_digest(suite) for suite in suites}) == 3


def test_a_base_has_python_under_both_names_and_the_runtime(inside):
    code = """
import json, repro_runtime, subprocess, sys
other = subprocess.check_output(["python3", "-c", "import sys; print(sys.version)"], text=True)
print(json.dumps([list(sys.version_info[:2]), other.strip() == sys.version, repro_runtime.VERSION]))
"""

    assert inside(code) == [[3, 11], True, "1"]


def test_a_context_that_changed_while_it_was_read_is_no_image(engine, build):
    with pytest.raises(BuildError, match="changed while they were read; try again"):
        build(labels={CONTEXT_LABEL: "what it was before"})

    assert images.find(engine, NAME) is None


def test_what_is_written_is_what_is_hashed(folder):
    context = BuildContext(root=folder, extra={"a": 1})

    assert context.write_tar(io.BytesIO(), {"a label": "x"}) == context.digest()


def test_a_disk_that_is_full_is_said_so(folder):
    with pytest.raises(DiskFull), open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        BuildContext(root=folder).write_tar(full)


def test_a_dockerfile_that_is_not_there_is_a_build_error(folder, build):
    (folder / "Dockerfile").unlink()

    with pytest.raises(BuildError, match="/Dockerfile: No such file"):
        build()


def test_a_dockerfile_that_is_a_pipe_is_not_waited_for(folder, build):
    (folder / "Dockerfile").unlink()
    os.mkfifo(folder / "Dockerfile")

    with pytest.raises(BuildError, match="Dockerfile: it is no file; put one there"):
        build()


def test_a_name_that_is_not_utf_8_is_a_build_error_that_shows_it(folder, build):
    (folder / "src" / os.fsdecode(b"na\xefve")).touch()

    with pytest.raises(BuildError, match=r"src/na\\udcefve: its name is not UTF-8; rename it"):
        build()


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_what_is_not_utf_8_is_a_build_error_that_names_the_line(folder, build, name):
    (folder / name).write_bytes("# one\n# naïve\n".encode("latin-1"))

    with pytest.raises(BuildError, match=rf"{name}, line 2: is not UTF-8; save it as that"):
        build()


def test_what_a_build_prints_cannot_steer_a_terminal(folder, bookworm, build):
    (folder / "Dockerfile").write_text(
        f"FROM {bookworm}\nRUN printf 'a\\033]0;b\\007\\302\\233c\\n' && exit 3\n"
    )
    lines: list[str] = []

    with pytest.raises(BuildError) as caught:
        build(on_line=lines.append)

    assert "a\\x1b]0;b\\x07\\x9bc" in lines
    assert "a\\x1b]0;b\\x07\\x9bc" in caught.value.lines
    assert "\x1b" not in str(caught.value)


def test_a_reader_that_has_seen_enough_is_not_blamed_on_the_engine(build):
    def read(_line):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        build(on_line=read)


def test_no_layer_of_an_interrupted_build_is_left_without_a_name(engine, folder, bookworm, build):
    (folder / "Dockerfile").write_text(f"FROM {bookworm}\nCOPY src /app\nRUN sleep 60\n")
    data = folder / "src" / "data"
    data.write_bytes(os.urandom(30_000_000))  # so that the engine is at it for a while

    def read(line):
        if line.lower().startswith("step 2/3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(on_line=read)

    kept = images.find(engine, images.unfinished(NAME))
    assert kept is not None or engine.podman  # which does not finish it


def test_a_build_whose_end_was_not_told_is_no_image(engine, folder, build, monkeypatch):
    first = build()
    (folder / "src" / "run.py").write_text("print('changed')\n")
    real = engine.api.build

    def cut(**options):
        records = list(real(**options))
        told = [one for one in records if "Successfully" not in str(one)]
        assert len(told) < len(records)
        return (one for one in told)

    with monkeypatch.context() as patched:
        patched.setattr(engine.api, "build", cut)
        with pytest.raises(BuildError, match="made no image"):
            build()
    images.remove(engine, first.id)


def test_an_engine_that_goes_away_in_a_build_is_an_error(folder, bookworm, severed):
    (folder / "Dockerfile").write_text(f"FROM {bookworm}\nRUN sleep 4 # {time.time()}\n")
    reached = connect()
    cut = threading.Timer(1.5, severed.close)
    cut.start()

    with pytest.raises(EngineUnavailable, match=r"engine\.sock"):
        images.build(reached, BuildContext(root=folder), NAME)

    cut.join()


def test_an_engine_that_is_gone_is_no_registry_without_an_image(severed):
    reached = connect()
    severed.close()

    with pytest.raises(EngineUnavailable):
        images.registry_has(reached, "debian:bookworm-slim")


DIGEST = "sha256:" + "0" * 64
PARENTS = {
    "FROM python:3.7": [("python:3.7", None)],
    f"FROM python@{DIGEST}": [(f"python@{DIGEST}", None)],
    "from python as made\nFROM MADE\nFROM scratch": [("python", None)],
    'ARG X="debian:12"\nFROM $X': [("debian:12", None)],
    "ARG X='debian:12' Y=z\nFROM ${X}-$Y": [("debian:12-z", None)],
    "FROM ${X:-debian:12}": [("debian:12", None)],
    "ARG X\nFROM ${X:-debian:12}": [("debian:12", None)],
    "ARG GIVEN=1\nFROM a:${GIVEN}": [("a:given", None)],
    "ARG X=1\nFROM a:$X\nARG X=2": [("a:1", None)],
    "ARG X=1\nARG Y=b:$X\nFROM $Y": [("b:1", None)],
    "FROM --platform=linux/arm64 a AS b": [("a", "linux/arm64")],
    "FROM --platform=$BUILDPLATFORM a": [("a", None)],
}


@pytest.mark.parametrize("dockerfile", PARENTS)
def test_the_parents_of_a_dockerfile_are_found(dockerfile):
    assert images.parents(dockerfile, {"GIVEN": "given"}) == PARENTS[dockerfile]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("python", ("python", "latest")),
        ("host:5000/python", ("host:5000/python", "latest")),
        ("host:5000/python:3", ("host:5000/python", "3")),
        (f"python@{DIGEST}", ("python", DIGEST)),
        (f"host:5000/python:3@{DIGEST}", ("host:5000/python", DIGEST)),
    ],
)
def test_a_reference_is_split(name, parts):
    assert images._split(name) == parts


def test_two_builds_at_once_make_one_image(engine, folder, bookworm, build):
    (folder / "Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nRUN sleep 1 && head -c 8 /dev/urandom > /random\n"
    )
    made = Recipe(package="sample", name=NAME, context=BuildContext(root=folder), suite="bookworm")
    lines: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(recipe.build, engine, made, lines.append) for _ in range(2)]
        first, second = (future.result() for future in futures)

    assert first == second
    assert f"waiting for another process that builds {NAME}" in lines


def test_a_lock_is_free_again_when_its_holder_was_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = (
        "import time; from repro.engine.lock import one_at_a_time\n"
        "with one_at_a_time('x'): print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        holder.kill()

    with one_at_a_time("x"):
        assert (tmp_path / "repro" / "locks").stat().st_mode & 0o777 == 0o700
