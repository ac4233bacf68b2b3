"""What the engine's tests share: code inside a container, a proxy, another user."""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from contextlib import ExitStack, closing, nullcontext, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
    from collections.abc import Callable, Iterator, Mapping

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


class RegistryServer:
    """An image registry on this machine, which an engine here takes for a safe one.

    Parameters
    ----------
    program : str
        What is run.
    folder : Path
        Where it keeps its settings, and what is pushed unless `storage` names another place.
    login : (str, str), optional
        A user, and a line of bcrypt's for the password: without them everybody may push.
    """

    def __init__(
        self,
        program: str,
        folder: Path,
        *,
        storage: Path | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.storage = storage or folder / "registry"
        self._command = [program, "serve", str(folder / "registry.yml")]
        self._log = folder / "registry.log"
        settings: dict[str, Any] = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(self.storage)}},
            "http": {"addr": self.address},
            "log": {"level": "error", "accesslog": {"disabled": True}},
        }
        if login is not None:
            (folder / "users").write_text(":".join(login) + "\n")
            settings["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "users")}}
        (folder / "registry.yml").write_text(json.dumps(settings))  # JSON is YAML

    def start(self) -> None:
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline = time.monotonic() + 20
        while not self._answers():
            ended = self.process.poll() is not None or time.monotonic() > deadline
            assert not ended, f"the registry does not answer: {self._log.read_text()}"
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def _answers(self) -> bool:
        host, _, port = self.address.rpartition(":")
        with suppress(OSError), closing(HTTPConnection(host, int(port), timeout=5)) as connection:
            connection.request("GET", "/v2/")
            return connection.getresponse().status in {200, 401}
        return False


@pytest.fixture
def registries(
    engine: Engine, registry_program: str, tmp_path: Path
) -> Iterator[Callable[..., RegistryServer]]:
    """Run image registries; they end with the test."""
    if not engine.local:
        pytest.skip(f"{engine.address} cannot reach a registry on this machine's own address")
    with ExitStack() as running:

        def make(**options: Any) -> RegistryServer:
            folder = tmp_path / f"registry-{secrets.token_hex(4)}"
            folder.mkdir()
            server = RegistryServer(registry_program, folder, **options)
            server.start()
            running.callback(server.stop)
            return server

        yield make


@pytest.fixture
def registry(registries: Callable[..., RegistryServer]) -> str:
    """Run an image registry; return its address."""
    return registries().address


CARD = """
version = "1.0"
title   = "Sample"
summary = "A package of the tests"
license = "Apache-2.0"
upstream = "sample 1.0"
publish = {publish}

[paper]
authors = ["{author}"]
year    = {year}
url     = "https://example.org/paper"

[models.{package}-model]
class   = "Sample"
task    = "text-transformation"
command = ["/bin/sh", "run.sh"]
cold    = true
"""

CODE = """
from repro.models import DockerModel, Model

@Model.register("{package}-model")
class Sample(DockerModel):
    def predict(self, text: str) -> str:
        return self.answer(text=text)
"""

README = """
# {package}

`{package}-model`: `repro setup {package}`, `repro reproduce {package}`.

## Input and output
## Usage
## What is claimed
## Differences from the paper
## Licence
## Citation
"""

SHELL_PROGRAM = """
set -eu
[ "$1 $3 $#" = "--input-file --output-file 4" ]
while read -r row; do echo '"seen"'; done <"$2" >"$4"
"""


class Checkout:
    """A copy of the library with packages whose images have a shell and nothing else."""

    def __init__(self, folder: Path, bookworm: str) -> None:
        self.folder, self._parts = folder, bookworm
        self.library = f"/lib/{sysconfig.get_config_var('MULTIARCH')}"
        ignored = shutil.ignore_patterns("__pycache__", "*20??")
        shutil.copytree(ROOT / "repro", folder / "repro", ignore=ignored)
        shutil.copytree(ROOT / "models" / "tutorial", folder / "models" / "tutorial")
        for name in ("Dockerfile.base", "models/Template.md"):
            shutil.copy(ROOT / name, folder / name)
        self.namespace = f"repro-test-{secrets.token_hex(4)}"
        self.settings = {"namespace": self.namespace}

    def add(self, package: str, *, publish: bool = True, more: str = "") -> Path:
        """Add a package; return its folder."""
        context, code = self.folder / "models" / package, self.folder / "repro/models" / package
        (context / "src").mkdir(parents=True)
        (context / "model.toml").write_text(
            CARD.format(
                package=package,
                author=package[:-4].title(),
                year=package[-4:],
                publish=str(publish).lower(),
            )
        )
        (context / "Dockerfile").write_text(
            f"FROM scratch\n{self.copies()}COPY src /app\nWORKDIR /app\n{more}"
        )
        (context / "src" / "run.sh").write_text(SHELL_PROGRAM)
        (context / "Readme.md").write_text(README.format(package=package))
        example = {"model": f"{package}-model", "input": {"text": "x"}, "output": "seen"}
        (context / "examples.jsonl").write_text(json.dumps(example) + "\n")
        code.mkdir()
        (code / "__init__.py").write_text(CODE.format(package=package))
        return context

    def copies(self, more: Mapping[str, str] | None = None) -> str:
        """Write the steps that copy a shell, and other files of the base image, without its labels.

        Where a site has certificates of its own, what is built on the base is not published.
        """
        loader = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
        files = {file: file for file in (loader[platform.machine()], f"{self.library}/libc.so.6")}
        files |= {"/bin/dash": "/bin/sh", **(more or {})}
        return "".join(f"COPY --from={self._parts} {a} {b}\n" for a, b in files.items())

    def environment(self, **more: str) -> dict[str, str]:
        (self.folder / "config.json").write_text(json.dumps(self.settings))
        settings = {
            "PYTHONPATH": str(self.folder),
            "REPRO_CONFIG": str(self.folder / "config.json"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
        }
        return {**os.environ, **settings, **more}

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command line."""
        return subprocess.Popen(
            [sys.executable, "-m", "repro", *words],
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def repro(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        with self.start(*words, **environment) as process:
            output, errors = process.communicate(timeout=200)
        assert "Traceback" not in errors, errors
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def image(self, package: str, version: str = "1.0") -> str:
        """Name the image of a package."""
        return f"{self.namespace}/{package}:{version}"


@pytest.fixture
def checkout(engine: Engine, bookworm: str, tmp_path: Path) -> Iterator[Checkout]:
    """A copy of the library, to which tests add packages; their images go with it."""
    made = Checkout(tmp_path / "checkout", bookworm)
    yield made
    for name in images.names(engine):
        if made.namespace in name:
            images.remove(engine, name, force=True)


class Meddler(ThreadingHTTPServer):
    """Stands before a registry, and changes what is asked and answered.

    `before` gets method, path and headers, and may answer (status, headers, body) itself; `after`
    gets method, path, headers and body of an answer, and returns the headers and body to send.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.before: Callable[..., Any] = lambda *_: None
        self.after: Callable[..., Any] = lambda _method, _path, headers, body: (headers, body)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Meddler

    def _pass_on(self) -> None:
        body = self._body()
        answer = self.server.before(self.command, self.path, self.headers)
        if answer is None:
            host, _, port = self.server.target.rpartition(":")
            headers = {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"}
            headers["Content-Length"] = str(len(body))
            with closing(HTTPConnection(host, int(port))) as connection:
                connection.request(self.command, self.path, body, headers)
                got = connection.getresponse()
                status, told, content = got.status, dict(got.getheaders()), got.read()
            told, content = self.server.after(self.command, self.path, told, content)
        else:
            status, told, content = answer
        self.send_response_only(status)
        if self.command != "HEAD":
            told["Content-Length"] = str(len(content))
        for key, value in told.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = _pass_on  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def meddler(registry) -> Iterator[Meddler]:
    """A registry that can be made to fail, or to lie."""
    server = Meddler(registry)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.handle_error = lambda *_: None  # those who ask go away in the middle
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


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
