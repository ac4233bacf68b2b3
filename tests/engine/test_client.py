"""Which engine is meant, and what is said when it is not there, shut, or goes away."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from urllib3.exceptions import ProtocolError

from repro.common.config import Config, read_config
from repro.engine import client
from repro.engine.client import Address, Engine, connect, find_address
from repro.engine.container import run
from repro.engine.exchange import Exchange
from repro.engine.spec import ContainerSpec
from repro.errors import EngineError, EngineUnavailable, ReproError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = "start it (`sudo systemctl start docker`), or install one"


@pytest.fixture
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Clear what names an engine; return the empty folder of docker's own configuration."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


def use_context(folder: Path, name: str, host: str) -> None:
    """Write a docker context and make it the one in use."""
    meta = folder / "contexts" / "meta" / sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": False}
    about = {"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}
    (meta / "meta.json").write_text(json.dumps(about))
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


def test_docker_host_comes_first(nothing_set, monkeypatch):
    use_context(nothing_set, "lab", "tcp://lab.example:2375")
    monkeypatch.setenv("DOCKER_HOST", "tcp://host.example:2375")

    found = find_address(Config(docker_server="tcp://config.example:2375"))

    assert found == Address(url="tcp://host.example:2375", source="DOCKER_HOST")


@pytest.mark.parametrize(
    "text",
    [
        'docker_server = "tcp://config.example:2375"\n',
        '{"docker_server": "tcp://config.example:2375"}',
    ],
    ids=["TOML", "JSON"],
)
def test_the_configuration_comes_before_a_docker_context(nothing_set, tmp_path, monkeypatch, text):
    use_context(nothing_set, "lab", "tcp://lab.example:2375")
    (tmp_path / "config").write_text(text)
    monkeypatch.setenv("REPRO_CONFIG", str(tmp_path / "config"))

    found = find_address(read_config())

    assert str(found) == "tcp://config.example:2375 (docker_server in the configuration)"


def test_a_docker_context_comes_before_the_default_socket(nothing_set):
    use_context(nothing_set, "lab", "unix:///run/lab/docker.sock")

    found = find_address(Config())

    assert str(found) == "unix:///run/lab/docker.sock (docker context 'lab')"
    assert str(found.socket) == "/run/lab/docker.sock"


def test_a_docker_context_can_be_named_for_one_call(nothing_set, monkeypatch):
    use_context(nothing_set, "lab", "tcp://lab.example:2375")
    use_context(nothing_set, "other", "tcp://other.example:2375")
    monkeypatch.setenv("DOCKER_CONTEXT", "lab")

    found = find_address(Config())

    assert str(found) == "tcp://lab.example:2375 (docker context 'lab')"
    assert found.socket is None


@pytest.mark.parametrize("how", ["DOCKER_CONTEXT", "currentContext"])
def test_a_docker_context_that_is_not_there_is_no_other_engine(nothing_set, monkeypatch, how):
    if how == "DOCKER_CONTEXT":
        monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    else:
        (nothing_set / "config.json").write_text('{"currentContext": "gone"}')

    with pytest.raises(ReproError, match="docker context 'gone'"):
        find_address(Config())


def test_the_default_context_is_the_default_socket(nothing_set):
    (nothing_set / "config.json").write_text('{"currentContext": "default"}')

    assert find_address(Config()).source in {"the default socket", "podman's socket"}


@pytest.mark.usefixtures("nothing_set")
def test_without_a_word_it_is_the_default_socket(monkeypatch, tmp_path):
    monkeypatch.setattr(client, "DEFAULT_SOCKET", str(tmp_path))

    found = find_address(Config())

    assert str(found) == f"unix://{tmp_path} (the default socket)"


@pytest.mark.usefixtures("nothing_set")
def test_without_docker_it_is_podman(monkeypatch, tmp_path):
    monkeypatch.setattr(client, "DEFAULT_SOCKET", str(tmp_path / "none"))
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman" / "podman.sock").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    found = find_address(Config())

    assert str(found) == f"unix://{tmp_path}/podman/podman.sock (podman's socket)"


def test_only_a_unix_socket_is_local_unless_the_configuration_says_so(engine):
    elsewhere = Engine(engine.address, Config(shared_files=False))
    here = Engine(engine.address, Config(shared_files=True))

    assert engine.local == (engine.address.socket is not None)
    assert not elsewhere.local
    assert here.local


def test_a_connection_is_kept(engine, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", engine.address.url)

    assert connect() is connect()


def unavailable() -> str:
    with pytest.raises(EngineUnavailable) as caught:
        connect()
    return str(caught.value)


def test_a_socket_that_is_not_there_says_where_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    message = unavailable()

    where = f"no container engine at unix://{tmp_path}/none.sock (DOCKER_HOST): "
    assert message.startswith(f"{where}nothing listens there; {START}")


def test_a_port_where_nothing_listens_says_so(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("DOCKER_HOST", address)

    message = unavailable()

    where = f"no container engine at {address} (DOCKER_HOST): "
    problem = "the connection was refused, no engine listens there"
    assert message.startswith(f"{where}{problem}; {START}")


def test_a_socket_that_nobody_serves_any_more_says_so(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left.sock"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/left.sock")

    assert "the connection was refused, no engine listens there" in unavailable()


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://no-such-host.invalid:2375", "tcp://"])
def test_an_address_that_is_none_is_an_error_of_ours(monkeypatch, address):
    monkeypatch.setenv("DOCKER_HOST", address)

    assert unavailable().startswith(f"no container engine at {address} (DOCKER_HOST): ")


CONNECT = """
from repro.engine.client import connect
from repro.errors import EngineUnavailable
try:
    connect()
    print("connected")
except EngineUnavailable as error:
    print(error)
"""


def test_a_user_whom_the_socket_does_not_let_in_is_told_of_the_group(ordinary):
    done = ordinary.python(CONNECT, in_group=False)

    assert done.returncode == 0, done.stderr
    assert "this user may not use its socket; join its group" in done.stdout
    assert "sudo usermod -aG docker $USER" in done.stdout


def test_a_user_of_the_group_is_let_in(ordinary):
    done = ordinary.python(CONNECT)

    assert done.stdout == "connected\n", done.stderr


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> float:
    """Wait a second for a call, not a minute."""
    monkeypatch.setattr(client, "CALL_TIMEOUT", 1)
    return 1


def test_a_socket_that_never_answers_is_given_up(tmp_path, monkeypatch, patience):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/silent.sock")
        started = time.monotonic()

        message = unavailable()

        assert time.monotonic() - started < patience + 2
    assert "it did not answer within 1 s" in message


@pytest.fixture
def no_engine(tmp_path: Path) -> Iterator[str]:
    """Something that answers every request, and is no engine."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "other.sock"))
    listener.listen()

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            with one:
                one.recv(2**16)
                one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"unix://{tmp_path}/other.sock"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_what_answers_and_is_no_engine_is_an_error_of_ours(no_engine, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", no_engine)

    assert unavailable().startswith(f"no container engine at {no_engine} (DOCKER_HOST): ")


# Its runtime watches the standard input, so it ends when the connection is cut.
SLEEPER = """
import sys, time
from repro_runtime import main
main(lambda: time.sleep(60), lambda model, instances: instances, argv=sys.argv[1:])
"""


def test_an_engine_that_goes_away_in_a_run_is_an_error(engine, bookworm, severed, owned):
    spec = ContainerSpec(
        image=bookworm,
        command=("python", "-c", SLEEPER, "--input-file", "/in", "--output-file", "/out"),
        name="sleeper",
    )
    reached = connect()
    assert str(reached.address) == f"{severed.address} (DOCKER_HOST)"
    before = set(threading.enumerate())
    cut = threading.Timer(1.5, severed.close)
    cut.start()
    started = time.monotonic()

    with Exchange(reached) as exchange, pytest.raises(EngineUnavailable, match=r"engine\.sock"):
        run(reached, spec, exchange)

    assert 1 < time.monotonic() - started < 10
    assert not exchange.parent.exists()
    deadline = time.monotonic() + 10
    while owned(os.getpid()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert owned(os.getpid()) == set()
    assert before >= set(threading.enumerate()) - {cut}


def test_an_engine_that_is_gone_before_a_run_leaves_no_file(sample, severed, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "files"))
    (tmp_path / "files").mkdir()
    connect()
    severed.close()

    with pytest.raises(EngineUnavailable, match=r"engine\.sock \(DOCKER_HOST\)"):
        sample("pass").predict("x")

    assert list((tmp_path / "files").iterdir()) == []


@pytest.mark.usefixtures("limits")
def test_what_the_engine_refuses_is_an_error_with_its_words(engine, bookworm):
    spec = ContainerSpec(image=bookworm, command=("true",), memory=1)

    with pytest.raises(EngineError, match=r"the engine refused: .*[Mm]emory"):
        run(engine, spec)


def test_a_program_that_is_quiet_for_long_is_still_heard(engine, bookworm, patience, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", engine.address.url)
    code = "import time; print('early'); time.sleep(3); print('late')"
    printed: list[bytes] = []
    hasty = Engine(engine.address, engine.config)

    run(
        hasty,
        ContainerSpec(image=bookworm, command=("python", "-c", code)),
        on_output=lambda _, piece: printed.append(piece),
    )

    assert patience < 3
    assert b"".join(printed) == b"early\nlate\n"


def test_a_stream_that_breaks_off_is_an_engine_that_is_lost():
    with (
        pytest.raises(EngineUnavailable, match="the connection was lost"),
        client.translated(Address(url="unix:///x", source="test")),
    ):
        raise ProtocolError("Connection broken", ConnectionResetError(104, "reset"))


def test_what_is_done_with_an_answer_is_no_error_of_the_engine():
    address = Address(url="unix:///x", source="test")

    def read() -> None:
        for _ in client.answers(address, [{}]):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        read()


def test_another_thread_may_forget_the_connection_meanwhile(engine, monkeypatch):
    class Forgetful(dict[object, Engine]):
        """A dictionary that another thread clears at every moment."""

        def __setitem__(self, key: object, value: Engine) -> None:
            pass

    monkeypatch.setattr(client, "_connections", Forgetful())

    assert connect().address == engine.address


def test_a_docker_context_brings_its_certificates(nothing_set):
    use_context(nothing_set, "lab", "tcp://lab.example:2376")
    folder = nothing_set / "contexts" / "tls" / sha256(b"lab").hexdigest() / "docker"
    folder.mkdir(parents=True)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (folder / name).touch()

    with client._api_client(find_address(Config()), "1.41") as api:
        assert api.base_url == "https://lab.example:2376"
        assert api.cert == (str(folder / "cert.pem"), str(folder / "key.pem"))
        assert api.verify == str(folder / "ca.pem")
