"""Weights that live elsewhere end up in an image, and are fetched when one is built alone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog.card import read_card
from repro.engine import image as images
from repro.engine.context import BuildContext
from repro.engine.recipe import build, matches, recipe_of
from repro.errors import BuildError, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.catalog import Card
    from repro.engine.client import Engine

    Run = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "repro-test-weights"
WHOLE = b"0123456789abcdef" * 2**16  # 1 MiB
SHA256 = hashlib.sha256(WHOLE).hexdigest()

CARD = """
version = "1.0"
title   = "Sample"
summary = "A package of the tests"
license = "Apache-2.0"
upstream = "the tests"

[models.smith2020-size]
class = "Size"
task  = "text-transformation"

[[weights]]
path   = "weights/deep/model.bin"
url    = "{url}"
sha256 = "{sha256}"
bytes  = {bytes}
license = "CC-BY-4.0"

[[claims]]
model    = "smith2020-size"
input    = {{ text = "" }}
reported = "1048576"
source   = "Table 1"
"""

DOCKERFILE = """
ARG BASE
FROM ${BASE}
COPY weights/ /opt/weights/
COPY src/ .
"""

CODE = """
from repro.models import DockerModel, Model

@Model.register("smith2020-size")
class Size(DockerModel):
    def predict(self, text: str) -> int:
        return self.answer(text=text)
"""

RUN = """
import os
from repro_runtime import main

FILE = "/opt/weights/deep/model.bin"
main(lambda: os.stat(FILE), lambda stat, instances: [stat.st_size for _ in instances])
"""


class Files(ThreadingHTTPServer):
    """Serves a folder, and remembers what was asked for."""

    def __init__(self, folder: Path) -> None:
        asked = self.asked = list[str]()

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                asked.append(self.path)

        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server_port}/model.bin"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Files]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "model.bin").write_bytes(WHOLE)
    with Files(folder) as made:
        thread = threading.Thread(target=partial(made.serve_forever, poll_interval=0.01))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def write_package(models: Path, url: str, sha256: str = SHA256) -> Card:
    folder = models / "smith2020"
    (folder / "src").mkdir(parents=True)
    (folder / "model.toml").write_text(CARD.format(url=url, sha256=sha256, bytes=len(WHOLE)))
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "src" / "run.py").write_text(RUN)
    return read_card(folder / "model.toml")


@pytest.fixture
def card(tmp_path: Path, server: Files, engine: Engine) -> Iterator[Card]:
    yield write_package(tmp_path / "models", server.url)
    images.remove(engine, f"{NAMESPACE}/smith2020:1.0", force=True)


@pytest.fixture
def repro(tmp_path: Path, card: Card) -> Run:
    """Run the command line in a copy of the library that has this package alone."""
    ignored = shutil.ignore_patterns("__pycache__", "*20??")
    shutil.copytree(ROOT / "repro", tmp_path / "repro", ignore=ignored)
    shutil.copy(ROOT / "Dockerfile.base", tmp_path)
    code = tmp_path / "repro" / "models" / "smith2020"
    code.mkdir()
    (code / "__init__.py").write_text(CODE)
    config = Path(os.environ["REPRO_CONFIG"]).read_text()
    (tmp_path / "config.toml").write_text(f'{config}namespace = "{NAMESPACE}"\n')

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"PYTHONPATH": str(tmp_path), "REPRO_CONFIG": str(tmp_path / "config.toml")}
        settings |= {"REPRO_CACHE": str(tmp_path / "cache")}
        return subprocess.run(
            [sys.executable, "-m", "repro", *words],
            cwd=tmp_path,
            env={**os.environ, **settings, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    return run


def test_weights_are_fetched_for_a_build_and_never_again(
    repro: Run, server: Files, tmp_path: Path
) -> None:
    built = repro("setup", "smith2020", "--json")
    shutil.rmtree(tmp_path / "cache")
    present = repro("setup", "smith2020", "--json")
    predicted = repro("predict", "--model", "smith2020-size", "-i", "text=x")

    assert built.returncode == 0, built.stderr
    assert [one["action"] for one in json.loads(built.stdout)] == ["built"]
    assert f"fetching weights/deep/model.bin, 1.0 MB, from {server.url}" in built.stderr
    assert [one["action"] for one in json.loads(present.stdout)] == ["present"]
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stdout.strip().endswith(str(len(WHOLE)))
    assert len(server.asked) == 1


def test_weights_that_cannot_be_fetched_are_a_failure_of_the_machine(
    repro: Run, server: Files, tmp_path: Path
) -> None:
    (tmp_path / "served" / "model.bin").unlink()
    one = repro("setup", "smith2020")
    every = repro("setup", "--all")
    claims = repro("reproduce", "smith2020", "--build", "--json")
    table = repro("reproduce", "smith2020")
    problem = f"weights/deep/model.bin cannot be fetched: {server.url}: it answers 404"

    assert (one.returncode, every.returncode, claims.returncode, table.returncode) == (3, 3, 1, 1)
    assert problem in one.stderr
    assert problem in every.stderr
    assert "failed" in every.stdout
    [claim] = json.loads(claims.stdout)
    assert claim["verdict"] == "not run"
    assert problem in claim["error"]
    assert "1 claims: 0 reproduced (0.0%), 1 not run" in table.stdout
    assert "`repro setup smith2020` builds it" in table.stdout
    assert "Traceback" not in one.stderr + every.stderr + claims.stderr + table.stderr


def test_info_and_clean_tell_of_weights(repro: Run, tmp_path: Path, server: Files) -> None:
    about = repro("info", "smith2020")
    cache = tmp_path / "cache" / "weights"
    cache.mkdir(parents=True)
    (cache / SHA256).write_bytes(WHOLE)
    (cache / f"{'0' * 64}.part").write_bytes(b"begun")
    seen = repro("clean", "--weights", "--dry-run")
    done = repro("clean", "--weights")

    assert f"weights  weights/deep/model.bin, 1.0 MB, CC-BY-4.0, {server.url}" in about.stdout
    assert f"weights {SHA256}, 1.0 MB\n" in seen.stdout
    assert seen.stdout == done.stdout
    assert list(cache.iterdir()) == []


def test_the_context_depends_on_the_hash_and_needs_no_file(card: Card, server: Files) -> None:
    recipe = recipe_of(card, namespace=NAMESPACE)
    other = replace(card, weights=(replace(card.weights[0], sha256="0" * 64),))
    elsewhere = replace(card, weights=(replace(card.weights[0], url="https://example.org/x"),))
    without = replace(card, weights=())
    digest = recipe.digest()

    assert recipe_of(other, namespace=NAMESPACE).digest() != digest
    assert recipe_of(elsewhere, namespace=NAMESPACE).digest() == digest
    assert recipe_of(without, namespace=NAMESPACE).digest() != digest
    assert server.asked == []


def test_weights_are_a_file_of_the_context_like_any_other(card: Card, tmp_path: Path) -> None:
    """The tar and the digest are those of a folder that has the file."""
    recipe = recipe_of(card, namespace=NAMESPACE)
    file = tmp_path / "fetched"
    file.write_bytes(WHOLE)
    file.chmod(0o600)
    copy = tmp_path / "copy"
    shutil.copytree(card.folder, copy)
    (copy / "weights" / "deep").mkdir(parents=True)
    (copy / "weights" / "deep" / "model.bin").write_bytes(WHOLE)
    here, there = io.BytesIO(), io.BytesIO()
    fetched = replace(recipe.context, fetched={"weights/deep/model.bin": file})

    assert fetched.write_tar(here) == recipe.digest()
    assert BuildContext(root=copy, extra=recipe.context.extra).write_tar(there) == recipe.digest()
    assert here.getvalue() == there.getvalue()
    here.seek(0)
    with tarfile.open(fileobj=here) as tar:
        modes = {one.name: oct(one.mode) for one in tar}
    assert modes["weights/deep/model.bin"] == "0o644"


def test_a_file_in_the_cache_that_is_wrong_is_named(card: Card, engine: Engine) -> None:
    wrong = Path(os.environ["REPRO_CACHE"]) / "weights" / SHA256
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(WHOLE[::-1])

    with pytest.raises(BuildError, match=f"{wrong} is not the file whose SHA-256 its name says"):
        build(engine, recipe_of(card, namespace=NAMESPACE))


@pytest.mark.parametrize(
    "name", ["weights", "weights/deep/model.bin", "weights/deep/model.bin/too"]
)
def test_a_file_that_stands_where_weights_belong_is_named(card: Card, name: str) -> None:
    file = card.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()

    with pytest.raises(BuildError, match=f"{name}: it stands where weights belong"):
        recipe_of(card, namespace=NAMESPACE).digest()


def test_weights_are_fetched_before_anything_is_built(
    card: Card, engine: Engine, server: Files, tmp_path: Path
) -> None:
    (tmp_path / "served" / "model.bin").write_bytes(WHOLE[::-1])
    told: list[str] = []

    with pytest.raises(WeightsUnavailable, match="it is another file, with SHA-256"):
        build(engine, recipe_of(card, namespace=NAMESPACE), told.append)
    assert not [line for line in told if "Step" in line]


def test_what_was_built_matches_without_the_file(card: Card, engine: Engine) -> None:
    recipe = recipe_of(card, namespace=NAMESPACE)
    made: Any = build(engine, recipe)
    shutil.rmtree(os.environ["REPRO_CACHE"])

    assert matches(recipe, made)
