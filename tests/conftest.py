"""What all tests share: marks from folders, a real engine, a look for leftovers after each."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from repro.engine import base
from repro.engine.client import Engine, connect
from repro.engine.image import UNFINISHED
from repro.engine.owner import LABEL
from repro.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("unit", "engine", "models")
_numbers = itertools.count()

# Where every change is tested, each property is tried more often than while one works on it.
settings.register_profile("thorough", max_examples=400)
if os.environ.get("REPRO_THOROUGH") == "1":
    settings.load_profile("thorough")


def pytest_configure() -> None:
    """Let what tests start be interrupted, also where these run in a shell's background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder; the packages' own tests need their images."""
    for item in items:
        parts = item.path.relative_to(ROOT).parts
        item.add_marker(parts[1] if parts[0] == "tests" and parts[1] in KINDS else "models")


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty configuration."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "config.toml").touch()
    return folder


@pytest.fixture(autouse=True)
def _own_home(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test off the configuration of whoever runs it, and off what others cached.

    The cache's folder is made where it is needed: making and removing two thousand takes seconds.
    """
    monkeypatch.setenv("REPRO_CONFIG", str(_home / "config.toml"))
    monkeypatch.setenv("REPRO_CACHE", str(_home / f"cache-{next(_numbers)}"))


@pytest.fixture(scope="session")
def engine() -> Engine:
    """A container engine; without one the test is skipped, or fails where one is required."""
    try:
        return connect()
    except EngineUnavailable as error:
        if os.environ.get("REPRO_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def bookworm(engine: Engine) -> str:
    """The base image with Python 3.11."""
    return base.ensure_base(engine, "bookworm")


@pytest.fixture(scope="session")
def bullseye(engine: Engine) -> str:
    """The base image with Python 3.9."""
    return base.ensure_base(engine, "bullseye")


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a container, a volume, a temporary file or a dangling layer."""
    if request.node.get_closest_marker("unit"):
        yield
        return
    engine = request.getfixturevalue("engine")
    before = _things(engine)
    yield
    deadline = time.monotonic() + 5
    while (left := _things(engine) - before) and time.monotonic() < deadline:
        gc.collect()  # what an error's traceback has held
        time.sleep(0.1)
    assert not left, f"left behind: {sorted(left)}"


class Library:
    """A copy of the library without its packages, and the small packages that a test puts in."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self.folder, self.namespace = folder, namespace
        shutil.copytree(
            ROOT / "repro", folder / "repro", ignore=shutil.ignore_patterns("__pycache__", "*20??")
        )
        (folder / "models").mkdir()
        shutil.copy(ROOT / "Dockerfile.base", folder)
        (folder / "config.toml").write_text(f'namespace = "{namespace}"\n')

    def add(self, package: str, files: Mapping[str, str], classes: str) -> Path:
        """Add a package: the files beside its image or in it, and its Python classes."""
        folder, code = self.folder / "models" / package, self.folder / "repro" / "models" / package
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        code.mkdir()
        (code / "__init__.py").write_text(classes)
        return folder

    def python(self, words: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with this library."""
        settings = {"REPRO_CONFIG": str(self.folder / "config.toml")}
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), **settings, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    def repro(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line of this library."""
        return self.python(["-m", "repro", *words], **environment)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A copy of the library, with no package yet."""
    return Library(tmp_path_factory.mktemp("library"), "repro-test-library")


def _things(engine: Engine) -> set[str]:
    api = engine.api
    ours = {"label": LABEL}  # a machine may run other people's containers meanwhile
    running = api.containers(all=True, filters=ours)
    containers = {f"container {c['Id'][:12]} {c['Command']}" for c in running}
    volumes = {f"volume {v['Name']}" for v in api.volumes(filters=ours)["Volumes"] or ()}
    images = {f"layer {i['Id']}": i["RepoTags"] or () for i in api.images()}  # once: it is slow
    dangling = {name for name, tags in images.items() if {*tags} <= {"<none>:<none>"}}
    unfinished = {f"layers {t}" for tags in images.values() for t in tags if UNFINISHED in t}
    files = {f"file {path}" for path in Path(tempfile.gettempdir()).glob("repro-*")}
    return containers | volumes | dangling | unfinished | files
