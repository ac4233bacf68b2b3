"""What the engine's tests share: code inside a container, a proxy, another user."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, nullcontext, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from repro.common.config import Config
from repro.engine import image as images
from repro.engine.client import Engine
from repro.engine.container import run
from repro.engine.context import BuildContext
from repro.engine.exchange import Exchange
from repro.engine.owner import LABEL
from repro.engine.spec import ContainerSpec
from repro.errors import EngineError
from repro.models.docker_model import DockerModel, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
ORDINARY = 54321  # a user and a group that no machine has

PYTHON27 = "repro-tests/python27:1"
PARENT_LABEL = "repro.tests.parent"

PRELUDE = """
import json, os, sys
INPUT, OUTPUT = sys.argv[2], sys.argv[4]
FOLDER = os.path.dirname(OUTPUT)
"""


@pytest.fixture(scope="session")
def python27(engine: Engine, bullseye: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with Python 2.7, kept for the next run unless its parent changed."""
    found = images.find(engine, PYTHON27)
    if found is None or found.labels.get(PARENT_LABEL) != bullseye:
        root = tmp_path_factory.mktemp("python27")
        install = "apt-get install -y -q python2.7-minimal libpython2.7-stdlib"
        (root / "Dockerfile").write_text(
            f"FROM {bullseye}\nRUN apt-get update -q && {install} && rm -rf /var/lib/apt/lists/*\n"
        )
        labels = {PARENT_LABEL: bullseye}
        images.build(engine, BuildContext(root=root), PYTHON27, labels=labels)
    return PYTHON27


@pytest.fixture(scope="session")
def refusal(engine: Engine, bookworm: str) -> str:
    """What is said of a container that the engine does not limit; empty if it does."""
    try:
        run(Engine(engine.address, Config()), ContainerSpec(image=bookworm, command=("true",)))
    except EngineError as error:
        return str(error)
    return ""


@pytest.fixture(autouse=True)
def _unlimited(_own_home: None, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept what this engine does not limit; tests of a limit ask for `limits`."""
    if engine.unlimited:
        Path(os.environ["REPRO_CONFIG"]).write_text("allow_unlimited = true\n")
        monkeypatch.setattr(engine, "config", Config(allow_unlimited=True))


@pytest.fixture
def limits(refusal: str) -> None:
    """Skip where the engine does not limit memory and processes."""
    if refusal:
        pytest.skip(refusal)


@pytest.fixture
def ulimits(engine: Engine) -> None:
    """Skip where the engine limits no single file; what is written is watched all the same."""
    if engine.podman and engine.rootless:
        version = engine.version["Version"]
        pytest.skip(f"podman {version}, rootless, makes containers with no ulimit: Ulimits is []")


@pytest.fixture
def gives_gpus(engine: Engine) -> None:
    """Skip where the engine takes no requests for GPUs."""
    if engine.podman:
        pytest.skip(f"podman {engine.version['Version']} answers a request for a GPU with null")


@pytest.fixture
def inside(engine: Engine, bookworm: str) -> Callable[..., Any]:
    """Run Python code in a container; return what it printed, read as JSON."""

    def look(code: str, exchange: Exchange | None = None, **spec: Any) -> Any:
        spec = {"image": bookworm, "command": ("python", "-c", code), "name": "look", **spec}
        printed: list[bytes] = []
        with nullcontext(exchange) if exchange is not None else Exchange(engine) as shared:
            run(engine, ContainerSpec(**spec), shared, on_output=lambda _, b: printed.append(b))
        return json.loads(b"".join(printed))

    return look


@pytest.fixture
def sample(bookworm: str) -> Callable[..., DockerModel]:
    """Make a model of the Python code that its container runs; the code knows INPUT and OUTPUT."""

    def make(code: str, **options: Any) -> DockerModel:
        class Sample(DockerModel):
            program = Program(image=bookworm, command=("python", "-c", PRELUDE + code))

            def predict(self, text: str = "") -> Any:
                return self.answer(text=text)

        return Sample(**options)

    return make


# Instances are Python expressions, so that each test says what its model does. `HERE` tells in
# which container, `n` of how many instances the batch is.
EVALUATE = """
import ctypes, os, re, signal, socket, subprocess, sys, threading, time
from repro_runtime import main

HERE = socket.gethostname()
LOADS = []

class Oops(Exception):
    def __init__(self, message, index=None):
        Exception.__init__(self, message)
        self.index = index

def throw(error):
    raise error

def note(text, value=None):
    sys.stderr.write(text + chr(10))
    sys.stderr.flush()
    return value

def die(status=3):
    os._exit(status)

def load(loading="None", tag=""):
    LOADS.append(eval(loading))
    return tag

def predict(model, instances):
    n = len(instances)
    return [eval(i["code"], dict(globals(), n=n, model=model)) for i in instances]

def aggregate(rows):
    return eval(os.environ.get("AGGREGATE", "list(rows)"), dict(globals(), rows=rows))

main(load, predict, aggregate)
"""


@pytest.fixture(scope="session")
def evaluator(bookworm: str) -> type[DockerModel]:
    """Make the class of a model that evaluates Python expressions."""

    class Evaluator(DockerModel):
        program = Program(image=bookworm, command=("python", "-c", EVALUATE))

        def __init__(self, *, loading: str = "None", tag: str = "", **options: Any) -> None:
            super().__init__(**options)

        def predict(self, code: str) -> Any:
            return self.answer(code=code)

    return Evaluator


@pytest.fixture
def warm(evaluator: type[DockerModel]) -> Iterator[Callable[..., DockerModel]]:
    """Make models that evaluate Python expressions; close them all."""
    with ExitStack() as made:
        yield lambda **options: made.enter_context(evaluator(**options))


@pytest.fixture
def running(bookworm: str) -> Iterator[Callable[..., DockerModel]]:
    """Make models that run a program, or Python code; close them all."""
    with ExitStack() as made:

        def make(what: str | Program, **options: Any) -> DockerModel:
            class Other(DockerModel):
                program = (
                    Program(image=bookworm, command=("python", "-c", what))
                    if isinstance(what, str)
                    else what
                )

                def predict(self, code: str) -> Any:
                    return self.answer(code=code)

            return made.enter_context(Other(**options))

        yield make


@pytest.fixture
def owned(engine: Engine) -> Callable[[int], set[str]]:
    """List the containers that a process owns."""

    def containers(pid: int) -> set[str]:
        found = engine.api.containers(all=True, filters={"label": LABEL})
        return {c["Id"] for c in found if c["Labels"][LABEL].split(":")[2] == str(pid)}

    return containers


class Proxy:
    """Forward connections to a unix socket, half-closed ones too; closing it cuts them all."""

    def __init__(self, target: Path, listener: socket.socket, address: str) -> None:
        self.address = address
        self._target, self._listener = str(target), listener
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """Break the connections that there are; new ones are let in."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.socket(socket.AF_UNIX)
                upstream.connect(self._target)
                self._open |= {client, upstream}
                thread = threading.Thread(target=self._join, args=(client, upstream), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _join(self, client: socket.socket, upstream: socket.socket) -> None:
        back = threading.Thread(target=_forward, args=(upstream, client), daemon=True)
        back.start()
        _forward(client, upstream)
        back.join()
        self._open -= {client, upstream}
        client.close()
        upstream.close()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(2**16):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def remote(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Make the engine one that is reached over TCP, as if it were on another machine."""
    if engine.address.socket is None:
        pytest.skip(f"{engine.address} is no unix socket that could be forwarded")
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    proxy = Proxy(engine.address.socket, listener, address)
    monkeypatch.setenv("DOCKER_HOST", address)
    yield proxy
    proxy.close()


@pytest.fixture
def severed(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Make the engine a local one that goes away when this is closed."""
    if engine.address.socket is None:
        pytest.skip(f"{engine.address} is no unix socket that could be forwarded")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "engine.sock"))
    listener.listen()
    proxy = Proxy(engine.address.socket, listener, f"unix://{tmp_path / 'engine.sock'}")
    monkeypatch.setenv("DOCKER_HOST", proxy.address)
    yield proxy
    proxy.close()


@pytest.fixture(scope="session")
def registry_program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image registry: the machine's own, else that of its distribution, unpacked and run here.

    So nothing is installed and no service is started, and it takes no privileges.
    """
    if own := shutil.which("docker-registry"):
        return own
    folder = tmp_path_factory.mktemp("docker-registry")
    try:
        return _unpacked("docker-registry", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        said = str(getattr(error, "stderr", "")).strip() or str(error)
        why = f"no docker-registry on this machine, and its package cannot be had: {said}"
    if os.environ.get("REPRO_REQUIRE_DOCKER") == "1":
        pytest.fail(f"{why}; install docker-registry")
    pytest.skip(why)


def _unpacked(package: str, folder: Path) -> str:
    """Download a Debian package, unpack it, and return the path of its program of the same name."""

    def call(*words: str) -> None:
        subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True, timeout=120)

    try:
        call("apt-get", "-q", "download", package)
    except subprocess.CalledProcessError:  # the lists of packages may be old, or not there yet
        call("apt-get", "-q", "update")
        call("apt-get", "-q", "download", package)
    (archive,) = folder.glob("*.deb")
    call("dpkg-deb", "-x", str(archive), str(folder))
    return str(folder / "usr" / "bin" / package)


@pytest.fixture
def registry(engine: Engine, registry_program: str, tmp_path: Path) -> Iterator[str]:
    """Run an image registry on this machine, which an engine here takes for a safe one."""
    if not engine.local:
        pytest.skip(f"{engine.address} cannot reach a registry on this machine's own address")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": address},
        "log": {"level": "error", "accesslog": {"disabled": True}},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(settings))  # JSON is YAML
    log = tmp_path / "registry.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [registry_program, "serve", str(tmp_path / "registry.yml")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 20
        while not _answers(address):
            ended = process.poll() is not None or time.monotonic() > deadline
            assert not ended, f"the registry does not answer: {log.read_text()}"
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with suppress(OSError), closing(HTTPConnection(host, int(port), timeout=5)) as connection:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    return False


class OrdinaryUser:
    """Runs Python code as a user who is nobody special, with a home of its own."""

    def __init__(self, home: Path, engine_group: int) -> None:
        self.home, self._engine_group = home, engine_group

    def python(self, code: str, *, in_group: bool = True) -> subprocess.CompletedProcess[str]:
        packages = Path(docker.__file__).parents[1]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "PYTHONPATH": f"{ROOT}:{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if "DOCKER_HOST" in os.environ:
            environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
        return subprocess.run(
            [SYSTEM_PYTHON, "-c", code],
            user=ORDINARY,
            group=ORDINARY,
            extra_groups=[self._engine_group] if in_group else [],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def ordinary(engine: Engine) -> Iterator[OrdinaryUser]:
    """Become an ordinary user, who may use the engine if in its group; skip where that fails."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    if engine.address.socket is None or not Path(SYSTEM_PYTHON).exists():
        pytest.skip(f"needs a unix socket ({engine.address}) and {SYSTEM_PYTHON}")
    home = Path(tempfile.mkdtemp(prefix="ordinary-"))
    os.chown(home, ORDINARY, ORDINARY)
    user = OrdinaryUser(home, engine.address.socket.stat().st_gid)
    check = "import sys, docker, pydantic; import repro; sys.exit(sys.version_info < (3, 10))"
    try:
        if (tried := user.python(check)).returncode != 0:
            why = tried.stderr.strip().rpartition("\n")[2] or "older than Python 3.10"
            pytest.skip(f"{SYSTEM_PYTHON} cannot use this environment: {why}")
        yield user
    finally:
        shutil.rmtree(home)


class Installed:
    """An environment of its own, with the wheel in it, and a folder that is no checkout."""

    def __init__(self, environment: Path, elsewhere: Path) -> None:
        self.bin, self.folder = environment / "bin", elsewhere

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
        return subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=self.folder,
            env=kept,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    @property
    def site(self) -> Path:
        return next(self.bin.parent.glob("lib/python*/site-packages"))

    def repro(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self.run("repro", *arguments)
        assert done.returncode == 0, done.stderr
        return done

    def pip(self, command: str, *arguments: str) -> None:
        _succeed("-m", "pip", "--python", str(self.bin / "python"), command, "-q", *arguments)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    _succeed("-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Installed]:
    """Make environments of their own, with the wheel installed."""

    def make() -> Installed:
        folder = tmp_path_factory.mktemp("environment")
        _succeed("-m", "venv", "--without-pip", str(folder))
        made = Installed(folder, tmp_path_factory.mktemp("elsewhere"))
        made.pip("install", "--no-compile", str(wheel))
        return made

    return make


def _succeed(*arguments: str) -> None:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
