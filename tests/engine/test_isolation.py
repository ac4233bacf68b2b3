"""What a container can touch: one test for each promise of section 4 of the design."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import docker
import pytest

from repro.common.config import Config
from repro.engine import image as images
from repro.engine.client import Engine
from repro.engine.container import Container, run
from repro.engine.context import BuildContext
from repro.engine.exchange import USER, Exchange
from repro.engine.isolation import NOBODY, engine_config
from repro.engine.spec import ALL_GPUS, ContainerSpec
from repro.errors import (
    ContainerError,
    DeviceUnavailable,
    EngineError,
    OutOfMemory,
    PredictionTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INTERFACES = "import json, socket; print(json.dumps([n for _, n in socket.if_nameindex()]))"


def test_a_container_has_no_interface_but_the_loopback(inside):
    assert inside(INTERFACES) == ["lo"]


def test_a_container_has_a_network_where_that_was_asked_for(inside):
    assert set(inside(INTERFACES, network=True)) > {"lo"}


def test_a_container_reaches_no_address_and_resolves_no_name(inside):
    code = """
import errno, json, socket
answers = []
for family, address in [(socket.AF_INET, "172.17.0.1"), (socket.AF_INET, "1.1.1.1"),
                        (socket.AF_INET, "169.254.169.254"), (socket.AF_INET6, "2606:4700::1111")]:
    with socket.socket(family) as one:
        one.settimeout(5)
        answers.append(errno.errorcode[one.connect_ex((address, 53))])
try:
    socket.getaddrinfo("mirror.example", 80)
except socket.gaierror as error:
    answers.append("no name")
print(json.dumps(answers))
"""

    *connects, name = inside(code)

    assert set(connects) <= {"ENETUNREACH", "EADDRNOTAVAIL"}
    assert name == "no name"


def test_a_container_can_write_to_tmp_and_the_exchange_directory_alone(inside):
    # Besides, the kernel gives each container file systems of its own in memory: /dev/shm and
    # /dev/mqueue. They are counted within its memory and end with it. Of /proc only the process's
    # own files can be written, and triggers set in /proc/pressure, which last while they are open.
    code = """
import json, os, stat
folders, files = [], []
for top, below, names in os.walk("/"):
    if top == "/proc":
        below[:] = [name for name in below if not name.isdigit()]
        below[:] = [name for name in below if name not in ("self", "thread-self")]
    probe = os.path.join(top, "probe-of-a-test")
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.unlink(probe)
        folders.append(top)
    except OSError:
        if os.access(top, os.W_OK):
            folders.append(top + " (it says)")
    for name in names:
        path = os.path.join(top, name)
        if not stat.S_ISREG(os.lstat(path).st_mode):
            continue
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            files.append(path)
        except OSError:
            if os.access(path, os.W_OK):
                files.append(path + " (it says)")
print(json.dumps([sorted(folders), files]))
"""

    folders, files = inside(code)

    assert folders == ["/dev/mqueue", "/dev/shm", "/exchange", "/tmp"]
    assert [path for path in files if not path.startswith("/proc/pressure/")] == []


def test_a_container_sees_no_file_of_the_host_but_those_it_needs(engine, inside):
    code = "import json; print(json.dumps(open('/proc/self/mountinfo').read()))"

    with Exchange(engine) as exchange:
        table = inside(code, exchange)
        folder = exchange.parent.name

    ours = {"/exchange": f"/{folder}/exchange", "/etc/passwd": f"/{folder}/passwd"}
    of_the_engine = {
        "/etc/resolv.conf",
        "/etc/hostname",
        "/etc/hosts",
        "/sbin/docker-init",
        "/usr/sbin/docker-init",
        "/run/podman-init",
    }
    of_the_kernel = {"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "tmpfs"}
    if engine.rootless:  # such as /dev/null, which an ordinary user cannot make
        of_the_kernel.add("devtmpfs")
        of_the_engine.add("/etc/group")
    shared = {}
    for mount in table.splitlines():
        fields, _, kind = mount.partition(" - ")
        _, _, _, source, target, *_ = fields.split()
        if kind.split()[0] not in of_the_kernel and target != "/":
            shared[target] = source
    assert set(shared) - of_the_engine == set(ours)
    assert all(shared[target].endswith(source) for target, source in ours.items())


def test_a_secret_of_the_host_is_nowhere_to_be_found(inside, tmp_path):
    tmp_path.chmod(0o755)
    secret = tmp_path / "secret-of-the-host"
    secret.write_text("swordfish")
    secret.chmod(0o644)
    code = f"""
import json, os
found = [os.path.join(t, n) for t, _, names in os.walk("/") for n in names if n == {secret.name!r}]
for root in ("", "/proc/1/root", "/exchange/..", "/proc/self/cwd/.."):
    if os.path.exists(root + {str(secret)!r}):
        found.append(root)
for name in ("/var/run/docker.sock", "/run/docker.sock"):
    if os.path.exists(name):
        found.append(name)
print(json.dumps(found))
"""

    assert inside(code) == []


def test_a_container_has_no_capability_and_can_gain_none(inside):
    code = """
import json
lines = open("/proc/self/status").read().splitlines()
print(json.dumps(dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)))
"""

    status = inside(code)

    capabilities = {name: int(value, 16) for name, value in status.items() if name[:3] == "Cap"}
    assert capabilities == dict.fromkeys(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], 0)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


@pytest.fixture
def setuid_image(engine: Engine, bookworm: str, tmp_path: Path) -> Iterator[str]:
    """An image with an `id` that runs as root whoever starts it."""
    (tmp_path / "Dockerfile").write_text(
        f"FROM {bookworm}\nRUN cp /usr/bin/id /usr/bin/root-id && chmod 4755 /usr/bin/root-id\n"
    )
    name = "repro-test/setuid:1"
    images.build(engine, BuildContext(root=tmp_path), name)
    yield name
    images.remove(engine, name)


def test_a_setuid_program_gains_nothing(inside, setuid_image):
    code = """
import json, os, subprocess
mode = oct(os.stat("/usr/bin/root-id").st_mode)
print(json.dumps([mode, subprocess.check_output(["/usr/bin/root-id"], text=True)]))
"""

    mode, printed = inside(code, image=setuid_image)

    assert mode.endswith("4755")
    assert printed.startswith(f"uid={USER}(repro)" if os.getuid() == 0 else f"uid={os.getuid()}")
    assert "euid" not in printed


WHO = """
import json, os, pwd, stat, subprocess
entry = pwd.getpwuid(os.getuid())
program = "/tmp/program"
open(program, "w").write("#!/bin/sh\\necho ran\\n")
os.chmod(program, 0o700)
print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
    "user": os.environ.get("USER"), "logname": os.environ.get("LOGNAME"),
    "home": os.environ.get("HOME"), "entry": [entry.pw_name, entry.pw_dir],
    "tmp": oct(stat.S_IMODE(os.stat("/tmp").st_mode)), "ran": subprocess.getoutput(program),
}))
"""


def test_the_user_inside_is_not_root_and_has_a_name_and_a_home(inside):
    who = inside(WHO)

    assert who["uid"] == (USER if os.getuid() == 0 else os.getuid()) != 0
    assert 0 not in {who["gid"], *who["groups"]}
    assert who["user"] == who["logname"] == "repro"
    assert who["home"] == "/tmp"
    assert who["entry"] == ["repro", "/tmp"]


def test_programs_in_tmp_can_be_executed(inside):
    who = inside(WHO)

    assert who["ran"] == "ran"
    assert who["tmp"] == "0o1777"


def test_a_container_that_shares_nothing_runs_as_nobody(engine, bookworm):
    printed: list[bytes] = []
    spec = ContainerSpec(image=bookworm, command=("id", "-u"))

    run(engine, spec, on_output=lambda _, piece: printed.append(piece))

    assert b"".join(printed) == f"{NOBODY[0]}\n".encode()


def test_the_first_process_is_an_init_that_reaps_orphans(inside):
    code = """
import json, os, time
read, write = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.2)  # by then its parent has gone
        os.write(write, f"{os.getpid()} {os.getppid()}".encode())
        os._exit(0)
    os._exit(0)
os.wait()
orphan, parent = map(int, os.read(read, 100).split())
end = time.monotonic() + 5
while os.path.exists(f"/proc/{orphan}") and time.monotonic() < end:
    time.sleep(0.01)
first = open("/proc/1/cmdline").read().split("\\0")[0]
print(json.dumps([first, os.getpid(), parent, os.path.exists(f"/proc/{orphan}")]))
"""

    first, own, parent, zombie = inside(code)

    assert "init" in first
    assert own != 1
    assert parent == 1
    assert not zombie


@pytest.mark.usefixtures("limits")
def test_a_fork_bomb_stops_at_the_limit_and_the_container_still_ends(inside):
    code = """
import errno, json, os, time
children = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
        children += 1
except OSError as error:
    print(json.dumps([children, errno.errorcode[error.errno]]))
"""
    started = time.monotonic()

    children, problem = inside(code)

    assert problem == "EAGAIN"
    assert 900 < children < 1024
    assert time.monotonic() - started < 20


@pytest.mark.usefixtures("limits")
def test_a_limit_on_processes_can_be_set(inside):
    code = """
import json, os
names = ["/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"]
print(json.dumps([open(name).read().strip() for name in names if os.path.exists(name)]))
"""

    assert inside(code, pids=77) == ["77"]


HOG = "pages = b'x' * 2**29"


@pytest.mark.usefixtures("limits")
def test_a_program_that_needs_more_memory_than_it_may_is_out_of_memory(sample):
    model = sample(HOG, memory="64m")

    with pytest.raises(
        OutOfMemory, match=r"its limit was 64 MiB; give it more \(memory="
    ) as caught:
        model.predict("x")

    assert caught.value.limit == 64 * 2**20
    assert caught.value.status == 137


@pytest.mark.usefixtures("limits")
def test_a_child_that_was_killed_for_memory_is_told_though_the_program_ends_well(engine, sample):
    if not engine.tells_out_of_memory:
        pytest.skip(f"podman {engine.version['Version']} has no such event; the doctor says so")
    code = f"""
import subprocess
done = subprocess.run([sys.executable, "-c", {HOG!r}])
open(OUTPUT, "w").write(json.dumps(done.returncode) + "\\n")
"""

    with pytest.raises(OutOfMemory, match="its limit was 64 MiB") as caught:
        sample(code, memory="64m").predict("x")

    assert caught.value.status == 0


def test_files_in_tmp_count_as_memory(inside):
    code = """
import errno, json
try:
    with open("/tmp/file", "wb") as file:
        for size in range(1024):
            file.write(bytes(2**20))
except OSError as error:
    print(json.dumps([size, errno.errorcode[error.errno]]))
"""

    size, problem = inside(code, memory=64 * 2**20)

    assert problem == "ENOSPC"
    assert 30 <= size <= 32


@pytest.mark.usefixtures("limits")
def test_a_container_may_not_swap_beyond_its_memory(engine, bookworm):
    created = _created(engine, ContainerSpec(image=bookworm, command=("true",), memory=64 * 2**20))

    assert created["HostConfig"]["Memory"] == created["HostConfig"]["MemorySwap"] == 64 * 2**20


def test_an_engine_that_drops_limits_is_refused_or_accepted_by_name(engine, bookworm, refusal):
    spec = ContainerSpec(image=bookworm, command=("true",), cpus=0.5)
    strict = Engine(engine.address, Config())
    willing = Engine(engine.address, Config(allow_unlimited=True))

    if refusal:
        with pytest.raises(EngineError, match=r"memory and processes.*--allow-unlimited"):
            run(strict, spec)
    else:
        run(strict, spec)
    run(strict, replace(spec, allow_unlimited=True))
    run(willing, spec)


def test_a_container_that_runs_too_long_is_ended(sample):
    started = time.monotonic()

    with pytest.raises(PredictionTimeout, match="did not answer within 1 s"):
        sample("import time; time.sleep(600)", timeout=1).predict("x")

    assert time.monotonic() - started < 10


MESS = """
import json, os
os.chdir("/exchange")
def write(name, mode):
    with open(name, "w") as file:
        file.write("left")
    os.chmod(name, mode)
write("plain", 0o600)
write("closed", 0o000)
write("line\\nbreak \\udcff", 0o644)
os.mkdir("shut")
write("shut/file", 0o000)
os.mkdir("shut/below")
write("shut/below/file", 0o644)
os.chmod("shut/below", 0o000)
os.symlink("HOST", "link")
os.symlink("HOST", "shut/link")
os.chmod("shut", 0o000)
depth = 0
for depth in range(1, 5001):
    os.mkdir("d")
    os.chdir("d")
write("deepest", 0o000)
os.chmod(".", 0o000)
print(json.dumps(depth))
"""


def mess(host: Path) -> str:
    return MESS.replace("HOST", str(host))


@pytest.fixture
def of_the_host(tmp_path: Path) -> Path:
    """A directory of the host, to which links in the exchange directory may point."""
    folder = tmp_path / "of the host"
    folder.mkdir()
    (folder / "file").write_text("stays")
    return folder


def test_what_a_container_leaves_can_be_read_and_removed(engine, inside, of_the_host, monkeypatch):
    with Exchange(engine) as exchange:
        monkeypatch.setattr(exchange, "size", lambda: (0, 0))  # else so deep a tree ends the run

        assert inside(mess(of_the_host), exchange) == 5000

        closed = ["closed"] if os.getuid() == 0 else []  # root reads whatever the mode
        for name in ("plain", *closed, "line\nbreak \udcff"):
            with exchange.open(name, "test") as file:
                assert file.read() == b"left"

    assert not exchange.parent.exists()
    assert (of_the_host / "file").read_text() == "stays"


def test_a_umask_of_077_does_no_harm(engine, inside, sample, of_the_host, monkeypatch):
    echo = "open(OUTPUT, 'w').write(open(INPUT).read())"
    before = os.umask(0o077)
    try:
        with Exchange(engine) as exchange:
            monkeypatch.setattr(exchange, "size", lambda: (0, 0))
            depth = inside(mess(of_the_host), exchange)
            with exchange.open("plain", "test") as file:
                left = file.read()
        who = inside(WHO)
        answer = sample(echo).predict("x")
    finally:
        os.umask(before)

    assert (depth, left) == (5000, b"left")
    assert not exchange.parent.exists()
    assert who["entry"] == ["repro", "/tmp"]
    assert answer == {"text": "x"}


AS_USER = """
import json, os, sys
from repro.engine.client import connect
from repro.engine.container import run
from repro.engine.exchange import Exchange
from repro.engine.spec import ContainerSpec
from repro.models.docker_model import DockerModel, Program

image, who, mess = {image!r}, {who!r}, {mess!r}
engine = connect()

def look(code):
    printed = []
    with Exchange(engine) as exchange:
        exchange.size = lambda: (0, 0)
        spec = ContainerSpec(image=image, command=("python", "-c", code), name="look")
        run(engine, spec, exchange, on_output=lambda _, piece: printed.append(piece))
        left = []
        if os.path.exists(exchange.directory / "plain"):
            with exchange.open("plain", "test") as file:
                left.append(file.read().decode())
    return json.loads(b"".join(printed)), left, exchange.parent.exists()

class Echo(DockerModel):
    program = Program(cold=True, image=image, command=("python", "-c",
        "import sys; open(sys.argv[4], 'w').write(open(sys.argv[2]).read())"))

    def predict(self, text: str) -> dict:
        return self.answer(text=text)

if __name__ == "__main__":
    found = {{"echo": Echo().predict("é"), "who": look(who)[0]}}
    os.umask(0o077)
    found["mess"] = look(mess)
    found["narrow"] = Echo().predict("x")
    found["left"] = os.listdir(os.environ["TMPDIR"])
    print(json.dumps(found))
"""


def test_an_ordinary_user_can_do_all_that_too(bookworm, ordinary, of_the_host):
    done = ordinary.python(AS_USER.format(image=bookworm, who=WHO, mess=mess(of_the_host)))

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["echo"] == {"text": "é"}
    assert found["narrow"] == {"text": "x"}
    assert found["who"]["uid"] == found["who"]["gid"] == 54321
    assert found["who"]["entry"] == ["repro", "/tmp"]
    assert found["mess"] == [5000, ["left"], False]
    assert found["left"] == []
    assert (of_the_host / "file").read_text() == "stays"


def test_a_failed_run_leaves_nothing_behind(engine, bookworm, owned):
    spec = ContainerSpec(image=bookworm, command=("python", "-c", "import sys; sys.exit('why')"))

    with Exchange(engine) as exchange, pytest.raises(ContainerError, match=r"status 1\n    why$"):
        run(engine, spec, exchange)

    assert owned(os.getpid()) == set()
    assert not exchange.parent.exists()


CTRL_C = """
import signal
from repro.models.docker_model import DockerModel, Program

class Sleeper(DockerModel):
    program = Program(
        cold=True,
        image={image!r},
        command=("python", "-c", "import time; time.sleep(600)"),
    )

    def predict(self, text: str) -> str:
        return self.answer(text=text)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
try:
    Sleeper().predict("x")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_leaves_no_container_and_no_file(bookworm, owned, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(CTRL_C.format(image=bookworm))
    files = tmp_path / "files"
    files.mkdir()
    environment = {**os.environ, "TMPDIR": str(files)}
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        _until(lambda: owned(process.pid))
        _until(lambda: list(files.iterdir()))
        time.sleep(0.5)  # it runs, and is waited for

        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=20)

    assert printed == "interrupted\n"
    assert process.returncode == 0
    assert owned(process.pid) == set()
    assert list(files.iterdir()) == []


def test_everything_made_says_which_process_it_belongs_to(engine, bookworm, owned):
    spec = ContainerSpec(image=bookworm, command=("sleep", "600"), name="sleeper")
    container = Container(engine, spec)
    container.start()
    try:
        names = owned(os.getpid())
    finally:
        container.close()

    assert len(names) == 1
    assert owned(os.getpid()) == set()


@pytest.mark.usefixtures("gives_gpus")
def test_a_numbered_gpu_is_the_only_one_asked_for(engine, bookworm):
    created = _created(engine, ContainerSpec(image=bookworm, command=("true",), gpu=3))

    (request,) = created["HostConfig"]["DeviceRequests"]
    assert request["DeviceIDs"] == ["3"]
    assert request["Count"] == 0
    assert request["Capabilities"] == [["gpu"]]


@pytest.mark.usefixtures("gives_gpus")
def test_all_gpus_can_be_asked_for(engine, bookworm):
    created = _created(engine, ContainerSpec(image=bookworm, command=("true",), gpu=ALL_GPUS))

    (request,) = created["HostConfig"]["DeviceRequests"]
    assert request["Count"] == -1
    assert not request["DeviceIDs"]
    assert request["Capabilities"] == [["gpu"]]


def test_no_gpu_is_asked_for_by_default(engine, bookworm):
    created = _created(engine, ContainerSpec(image=bookworm, command=("true",)))

    assert not created["HostConfig"]["DeviceRequests"]


def test_an_engine_that_has_only_the_older_runtime_is_asked_through_that(engine):
    spec = ContainerSpec(image="any", command=("true",), gpu=3)

    config = engine_config(engine, spec, None, gpu_runtime=True)

    assert config["HostConfig"]["Runtime"] == "nvidia"
    assert "DeviceRequests" not in config["HostConfig"]
    assert "NVIDIA_VISIBLE_DEVICES=3" in config["Env"]


def test_a_gpu_that_is_not_there_is_an_error_that_names_it_and_the_cpu(engine, sample):
    if shutil.which("nvidia-smi") or "nvidia" in engine.info.get("Runtimes", {}):
        pytest.skip("this machine may have a GPU")

    expected = r"GPU 0 cannot be had: this engine has no NVIDIA GPUs .* use the CPU \(device=-1\)"
    with pytest.raises(DeviceUnavailable, match=expected):
        sample("open(OUTPUT, 'w').write('1\\n')", device=0).predict("x")


def _created(engine: Engine, spec: ContainerSpec) -> dict[str, Any]:
    """Create a container, look at it, and remove it; it is never started."""
    made = engine.api.create_container_from_config(engine_config(engine, spec, None))["Id"]
    try:
        return engine.api.inspect_container(made)
    finally:
        engine.api.remove_container(made, force=True)


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# Beside the program


def test_a_program_is_run_as_if_nothing_watched_it(engine, bookworm):
    code = """
import json, os, sys
try:
    os.wait()
    waited = "a child"
except ChildProcessError:
    waited = "no child"
files = sorted(os.listdir("/proc/self/fd"))
print(json.dumps([sys.argv[1:], waited, os.readlink("/proc/self/fd/0"), len(files), os.getppid(),
                  os.environ.get("REPRO_WATCH_STDIN")]))
"""
    words = ("a b", "", "$HOME", "'\"\\", "é\n", "-c", "--")
    printed: list[bytes] = []

    spec = ContainerSpec(image=bookworm, command=("python", "-c", code, *words))
    run(engine, spec, on_output=lambda _, piece: printed.append(piece))

    expected = [list(words), "no child", "/dev/null", 4, 1, None]  # 3 is the folder that is listed
    assert json.loads(b"".join(printed)) == expected


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -TERM $$", 143)])
def test_how_a_program_ends_is_told_exactly(engine, bookworm, script, status):
    with pytest.raises(ContainerError) as caught:
        run(engine, ContainerSpec(image=bookworm, command=("/bin/sh", "-c", script)))

    assert caught.value.status == status


def test_an_image_without_a_shell_runs_its_program(engine, bookworm, tmp_path):
    (tmp_path / "Dockerfile").write_text(
        f"FROM {bookworm} AS made\nFROM scratch\nCOPY --from=made /sbin/ldconfig /ldconfig\n"
    )
    name = "repro-test/no-shell:1"
    images.build(engine, BuildContext(root=tmp_path), name)
    printed: list[bytes] = []
    try:
        spec = ContainerSpec(image=name, command=("/ldconfig", "--version"))
        run(engine, spec, on_output=lambda stream, piece: printed.append(piece * (stream == 1)))
        with pytest.raises(ContainerError) as caught:
            run(engine, ContainerSpec(image=name, command=("/none",)))
    finally:
        images.remove(engine, name)

    assert b"".join(printed).startswith(b"ldconfig ")
    assert caught.value.status == 127
    assert "/none" in caught.value.lines[-1]


HOST = """
import sys
from repro.engine.client import connect
from repro.engine.container import run
from repro.engine.spec import ContainerSpec
spec = ContainerSpec(image=sys.argv[1], command=tuple(sys.argv[3:]))
run(connect(), spec.legacy() if sys.argv[2] == "legacy" else spec,
    on_output=lambda _, piece: print(piece.decode(), flush=True))
"""

WITHOUT_RUNTIME = {
    "Perl": ("perl", "-e", "$| = 1; print 'runs'; 1 while 1;"),
    "shell": ("/bin/sh", "-c", "trap '' HUP TERM INT; echo runs; while :; do sleep 1; done"),
}


@pytest.mark.parametrize("how", ["isolated", "legacy"])
@pytest.mark.parametrize("language", WITHOUT_RUNTIME)
def test_a_program_without_the_runtime_ends_with_its_host(bookworm, engine, owned, language, how):
    command = [sys.executable, "-c", HOST, bookworm, how, *WITHOUT_RUNTIME[language]]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        assert b"runs" in host.stdout.readline()
        running = owned(host.pid)
        host.kill()
    killed = time.monotonic()
    while owned(host.pid) and time.monotonic() < killed + 10:
        time.sleep(0.05)
    took = time.monotonic() - killed
    for one in owned(host.pid):
        engine.api.remove_container(one, force=True)

    assert len(running) == 1
    assert took < 5


def test_a_volume_that_an_image_declares_is_in_memory(engine, bookworm, inside, tmp_path):
    (tmp_path / "Dockerfile").write_text(
        f"FROM {bookworm}\nRUN mkdir -m 777 /data\nVOLUME /data /tmp /none/below\n"
    )
    name = "repro-test/volumes:1"
    images.build(engine, BuildContext(root=tmp_path), name)
    before = {one["Name"] for one in engine.api.volumes()["Volumes"] or ()}
    code = """
import json
for path in ("/data/new", "/none/below/new", "/tmp/new"):
    open(path, "x").close()
mounts = [line.split() for line in open("/proc/mounts")]
print(json.dumps([kind for _, target, kind, *_ in mounts
                  if target in ("/data", "/none/below", "/tmp")]))
"""
    try:
        answers = inside(code, image=name)
        after = {one["Name"] for one in engine.api.volumes()["Volumes"] or ()}
    finally:
        images.remove(engine, name)

    assert answers == ["tmpfs"] * 3
    assert after <= before


# Clean-up


def test_a_container_that_cannot_be_killed_is_not_waited_for(engine, bookworm, monkeypatch):
    def refuse(*_args):
        raise docker.errors.APIError("no")

    monkeypatch.setattr(engine.api, "kill", refuse)
    monkeypatch.setattr("repro.engine.container.CLEAN_UP", 1)
    started = time.monotonic()

    with pytest.raises(PredictionTimeout):
        run(engine, ContainerSpec(image=bookworm, command=("sleep", "15"), timeout=0.5))

    assert time.monotonic() - started < 10


def test_a_second_try_knows_nothing_of_the_first(engine, bookworm):
    if shutil.which("nvidia-smi") or "nvidia" in engine.info.get("Runtimes", {}):
        pytest.skip("this machine may have a GPU")
    mistaken = Engine(engine.address, engine.config)
    mistaken.info["Runtimes"]["nvidia"] = {}
    started = time.monotonic()

    with pytest.raises(EngineError, match=r"(?i)nvidia"):
        run(mistaken, ContainerSpec(image=bookworm, command=("true",), gpu=0))

    assert time.monotonic() - started < 10


def test_the_end_of_a_container_whose_status_is_unknown_is_an_error(engine, bookworm):
    container = Container(engine, ContainerSpec(image=bookworm, command=("true",)))
    container.fate.died.set()

    with pytest.raises(EngineError, match="did not say how"):
        container.check_status()


def test_a_socket_that_speaks_tls_is_shut_too(engine, bookworm):
    ours, theirs = socket.socketpair()  # as docker-py gives it there: no file around it
    container = Container(engine, ContainerSpec(image=bookworm, command=("true",)))
    container._socket = ours

    container._disconnect()

    assert theirs.recv(1) == b""
    theirs.close()


def test_what_could_steer_a_terminal_is_shown_in_errors(engine, bookworm):
    script = r"printf 'a\033[2Jb\tc\302\233d\342\200\256e\rf\n' >&2; exit 1"

    with pytest.raises(ContainerError) as caught:
        run(engine, ContainerSpec(image=bookworm, command=("/bin/sh", "-c", script)))

    assert caught.value.lines == ("a\\x1b[2Jb\tc\\x9bd\\u202ee\\rf",)


def test_what_the_reader_of_the_output_raises_ends_the_run(engine, bookworm):
    def read(_stream, _piece):
        raise BrokenPipeError

    spec = ContainerSpec(image=bookworm, command=("/bin/sh", "-c", "echo; sleep 60"))
    started = time.monotonic()

    with pytest.raises(BrokenPipeError):
        run(engine, spec, on_output=read)

    assert time.monotonic() - started < 10
