"""What comes out of a container is hostile until checked, of a local and a remote engine."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import threading
import time
import zlib
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import docker
import pytest

from repro.engine import leftovers, owner
from repro.engine.client import connect
from repro.engine.exchange import MAX_ENTRIES, PREFIX, remove_tree
from repro.engine.owner import LABEL, this_process
from repro.engine.volume import VolumeExchange, exchange_for
from repro.errors import ContainerError, OutputError, PredictionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.models.docker_model import DockerModel

    Make = Callable[..., DockerModel]

SOON = 10  # seconds
GIB = 2**30


def refused(model: DockerModel, problem: str, rows: int = 1, soon: float = SOON) -> OutputError:
    """Check that a model's output is refused soon."""
    started = time.monotonic()
    with pytest.raises(OutputError, match=problem) as caught:
        model.predict_batch([{"text": str(row)} for row in range(rows)])
    assert time.monotonic() - started < soon
    return caught.value


IRREGULAR = {
    "a symbolic link": "os.symlink('/etc/shadow', OUTPUT)",
    "a FIFO": "os.mkfifo(OUTPUT)",
    "a directory": "os.mkdir(OUTPUT)",
}


@pytest.mark.parametrize("kind", IRREGULAR)
def test_an_output_that_is_no_regular_file_is_refused(sample: Make, kind):
    refused(sample(IRREGULAR[kind]), f"output.jsonl is {kind}, not a file")


def test_an_output_that_is_a_socket_is_refused(sample: Make):
    code = "import socket; socket.socket(socket.AF_UNIX).bind(OUTPUT)"

    refused(sample(code), r"output.jsonl is .*, not a file")


def test_a_link_to_a_file_of_the_host_is_not_followed(sample: Make, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text('"swordfish"\n')

    error = refused(
        sample(f"os.symlink({str(secret)!r}, OUTPUT)"), "is a symbolic link, not a file"
    )

    assert "swordfish" not in repr(error) + repr(error.__context__)


def test_a_link_within_the_directory_is_not_followed_either(sample: Make):
    refused(sample("os.symlink('input.jsonl', OUTPUT)"), "is a symbolic link, not a file")


def test_the_report_of_an_error_is_not_read_through_a_link(sample: Make, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text('{"type": "swordfish", "message": "swordfish"}')
    code = f"os.symlink({str(secret)!r}, OUTPUT + '.error'); sys.exit('own words')"

    with pytest.raises(ContainerError, match="status 1\n    own words") as caught:
        sample(code).predict("x")

    assert "swordfish" not in str(caught.value)


def test_a_report_that_is_no_report_leaves_the_exit_status_as_it_is(sample: Make):
    for report in ("not JSON", "[1]", "[" * 100_000, "\\xff", ""):
        code = f"open(OUTPUT + '.error', 'w', encoding='latin-1').write({report!r}); sys.exit(1)"

        with pytest.raises(ContainerError, match="ended with status 1"):
            sample(code).predict("x")


def test_a_report_says_what_the_model_raised(sample: Make):
    report = {"type": "ValueError", "message": "too long", "traceback": "at 1", "index": 2}
    code = f"json.dump({report}, open(OUTPUT + '.error', 'w')); sys.exit(1)"

    with pytest.raises(PredictionError, match="raised ValueError over instance 2: too long"):
        sample(code).predict("x")


def test_no_output_is_an_error(sample: Make):
    refused(sample("pass"), "it wrote no output.jsonl")


def free() -> int:
    return shutil.disk_usage(tempfile.gettempdir()).free


def test_zeros_without_end_stop_at_the_limit(sample: Make):
    code = """
with open(OUTPUT, "wb") as file:
    while True:
        file.write(bytes(2**16))
"""

    refused(sample(code, max_output="4m"), "it wrote more than the 4,194,304 bytes it may")


def test_files_without_end_do_not_fill_the_disk(sample: Make):
    code = """
number = 0
while True:
    number += 1
    with open(f"{FOLDER}/{number}", "wb") as file:
        file.write(bytes(2**20))
"""
    lowest = before = free()

    def look(_rows: int) -> None:
        nonlocal lowest
        lowest = min(lowest, free())

    model = sample(code, max_output="64m", timeout=20)
    with pytest.raises(OutputError, match="it wrote more than the 67,108,864 bytes it may"):
        list(model.predict_stream([{"text": "x"}], on_progress=look))

    assert before - lowest < GIB
    assert before - free() < GIB // 2


def test_a_container_that_ignores_that_its_file_is_too_large_is_refused(sample: Make):
    code = """
with open(OUTPUT, "wb", buffering=0) as file:
    try:
        while True:
            file.write(b"1\\n" * 2**15)
    except OSError:
        pass
"""

    refused(sample(code, max_output="4m"), "it wrote more than the 4,194,304 bytes it may")


def test_an_endless_line_is_refused(sample: Make):
    code = """
with open(OUTPUT, "wb") as file:
    file.truncate(600 * 2**20)
"""

    refused(sample(code), "is longer than 512 MiB")


def test_more_files_than_allowed_are_refused_and_removed(sample: Make):
    code = f"""
for number in range({MAX_ENTRIES} + 1):
    os.close(os.open(f"{{FOLDER}}/{{number}}", os.O_CREAT))
import time
time.sleep(600)
"""

    refused(sample(code, timeout=60), "it left more than 100,000 files", soon=30)


@pytest.mark.usefixtures("ulimits")
def test_a_sparse_file_cannot_be_larger_than_the_limit(sample: Make):
    code = """
import errno
with open(f"{FOLDER}/sparse", "wb") as file:
    try:
        os.truncate(file.fileno(), 2**40)
        said = "truncated"
    except OSError as error:
        said = errno.errorcode[error.errno]
open(OUTPUT, "w").write(json.dumps(said) + "\\n")
"""

    assert sample(code).predict("x") == "EFBIG"


def test_a_sparse_file_counts_with_the_size_it_claims(sample: Make):
    code = "open(OUTPUT, 'wb').truncate(2**40); import time; time.sleep(600)"

    refused(
        sample(code, max_output="2t", timeout=120), "it wrote more than the [0-9,]+ bytes it may"
    )


SECOND_ROW = {
    "deep nesting": (b"[" * 100_000 + b"]" * 100_000, "is nested deeper than 256"),
    "deep objects": (b'{"a":' * 257 + b"1" + b"}" * 257, "is nested deeper than 256"),
    "invalid UTF-8": (b'"\xff"', "is not UTF-8: byte 0xff at offset 1"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "is not UTF-8"),
    "a lone surrogate": (rb'"\ud800"', r"has a lone surrogate \(U\+D800\)"),
    "4301 digits": (b"1" * 4301, "has an integer of more than 4,300 digits"),
    "no JSON": (b"None", "is not JSON"),
    "two values": (b"1 2", "is not JSON"),
    "a blank line": (b"", "is not JSON"),
}


@pytest.mark.parametrize("case", SECOND_ROW)
def test_a_row_that_breaks_a_rule_is_named(sample: Make, case):
    row, problem = SECOND_ROW[case]
    packed = b64encode(zlib.compress(row))
    code = f"""
import base64, zlib
row = zlib.decompress(base64.b64decode({packed!r}))
open(OUTPUT, "wb").write(b"1\\n" + row + b"\\n3\\n")
"""

    error = refused(sample(code), problem, rows=3)

    assert error.index == 1
    assert str(error).startswith("prediction 1 of ")


def test_a_blank_line_too_many_is_a_row_too_many(sample: Make):
    code = "open(OUTPUT, 'w').write('1\\n\\n2\\n')"

    refused(sample(code), "it wrote 3 predictions for 2 instances", rows=2)


@pytest.mark.parametrize("rows", [0, 9, 11])
def test_another_number_of_rows_than_was_sent_is_an_error(sample: Make, rows):
    code = f"open(OUTPUT, 'w').write('1\\n' * {rows})"

    refused(sample(code), f"it wrote {rows} predictions for 10 instances", rows=10)


def test_values_that_only_look_odd_pass(sample: Make):
    values = [math.inf, -math.inf, 2**70, 10**4299, "😀", "\0\u2028\r", None, [[]] * 300]
    code = """
rows = ["Infinity", "-Infinity", str(2**70), "1" + "0" * 4299, '"\\\\ud83d\\\\ude00"',
        '"\\\\u0000\\u2028\\\\r"', "null", json.dumps([[]] * 300), "NaN"]
open(OUTPUT, "w", encoding="utf-8").write("\\n".join(rows))  # and no line end after the last
"""

    *answers, last = sample(code).predict_batch([{"text": str(row)} for row in range(9)])

    assert answers == values
    assert math.isnan(last)


def test_prints_and_files_beside_the_output_do_no_harm(sample: Make):
    code = """
print('{"id": 1}\\n' * 10_000)
sys.stderr.write("\\xff\\n")
os.mkdir(f"{FOLDER}/cache")
open(f"{FOLDER}/cache/file", "w").write("left")
os.unlink(INPUT)
open(OUTPUT, "w").write('"right"\\n')
"""

    assert sample(code).predict("x") == "right"


ECHO = """
with open(INPUT, encoding="utf-8") as rows, open(OUTPUT, "w") as file:
    for row in rows:
        file.write(json.dumps(json.loads(row)["text"]) + "\\n")
"""


def test_an_engine_over_tcp_gets_a_volume(remote):
    engine = connect()

    assert str(engine.address) == f"{remote.address} (DOCKER_HOST)"
    assert not engine.local
    assert isinstance(exchange_for(engine), VolumeExchange)


@pytest.mark.usefixtures("remote")
def test_a_remote_engine_answers_as_a_local_one(engine, sample: Make, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    texts = [f"é {number} \u2028 " + "x" * 1000 for number in range(5000)]

    answers = sample(ECHO).predict_batch([{"text": text} for text in texts])

    assert answers == texts
    assert list(tmp_path.iterdir()) == []
    assert not engine.api.volumes(filters={"label": f"{LABEL}={this_process()}"})["Volumes"]


@pytest.mark.usefixtures("remote")
def test_a_remote_container_is_as_isolated(sample: Make):
    code = """
import pwd, socket
status = open("/proc/self/status").read()
open(OUTPUT, "w").write(json.dumps({
    "uid": os.getuid(), "name": pwd.getpwuid(os.getuid()).pw_name, "home": os.environ["HOME"],
    "interfaces": [name for _, name in socket.if_nameindex()],
    "capabilities": "CapBnd:\\t0000000000000000" not in status,
    "writable": sorted(t for t, _, _ in os.walk("/") if os.access(t, os.W_OK)
                       and not t.startswith(("/proc", "/dev"))),
    "mode": oct(os.stat(FOLDER).st_mode & 0o777),
}))
"""

    assert sample(code).predict("x") == {
        "uid": 10001,
        "name": "repro",
        "home": "/tmp",
        "interfaces": ["lo"],
        "capabilities": False,
        "writable": ["/tmp", "/volume/exchange"],
        "mode": "0o700",
    }


@pytest.mark.usefixtures("remote")
def test_too_few_rows_of_a_remote_engine_are_an_error(sample: Make):
    code = "open(OUTPUT, 'w').write('1\\n' * 3)"

    refused(sample(code), "it wrote 3 predictions for 10 instances", rows=10)


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize(
    "code",
    [
        "os.symlink('/etc/shadow', OUTPUT)",
        "os.symlink('input.jsonl', OUTPUT)",
        "os.mkfifo(OUTPUT)",
        "os.mkdir(OUTPUT); open(OUTPUT + '/file', 'w').write('1')",
    ],
)
def test_an_output_of_a_remote_engine_that_is_no_regular_file_is_refused(sample: Make, code):
    refused(sample(code), r"output.jsonl is .*, not a file")


@pytest.mark.usefixtures("remote")
def test_a_remote_container_cannot_plant_files_elsewhere(sample: Make, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    target = tmp_path / "planted"
    code = f"""
os.symlink({str(tmp_path)!r}, f"{{FOLDER}}/link")
os.mkdir(f"{{FOLDER}}/folder")
open(f"{{FOLDER}}/folder/owner", "w").write("other")
open(f"{{FOLDER}}/line\\nbreak", "w").write("other")
os.symlink({str(target)!r}, f"{{FOLDER}}/planted")
open(OUTPUT, "w").write("1\\n")
"""

    assert sample(code).predict("x") == 1
    assert not target.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("remote")
def test_a_remote_container_may_not_write_more_than_its_limit(sample: Make):
    code = """
for number in range(64):  # more than lies in buffers on the way
    with open(f"{FOLDER}/{number}", "wb") as file:
        file.write(bytes(2**20))
"""

    refused(sample(code, max_output="4m"), "it wrote more .*bytes")


@pytest.mark.usefixtures("remote")
def test_no_more_is_fetched_than_this_machine_has_space_for(sample: Make, monkeypatch):
    monkeypatch.setattr(VolumeExchange, "free", lambda _self: 2**20)
    code = "open(OUTPUT, 'wb').truncate(2**22)"

    refused(sample(code), "it wrote more .*bytes")


@pytest.mark.usefixtures("remote")
def test_a_failing_program_on_a_remote_engine_tells_its_last_words(sample: Make):
    with pytest.raises(ContainerError, match="status 3\n    last words"):
        sample("print('last words'); sys.exit(3)").predict("x")


@pytest.mark.usefixtures("remote")
def test_a_report_of_a_remote_program_says_what_the_model_raised(sample: Make):
    report = {"type": "ValueError", "message": "too long", "traceback": "", "index": 2}
    code = f"json.dump({report}, open(OUTPUT + '.error', 'w')); sys.exit(1)"

    with pytest.raises(PredictionError, match="raised ValueError over instance 2: too long"):
        sample(code).predict("x")


def test_the_exchange_directory_is_closed_to_other_users(engine):
    with exchange_for(engine) as exchange:
        mode = exchange.parent.stat().st_mode & 0o777

    assert mode == 0o700
    assert not exchange.parent.exists()


HIDE = """
import time
from repro.models.docker_model import DockerModel, Program

class Hider(DockerModel):
    program = Program(cold=True, image={image!r}, command=("python", "-c", {code!r}))

    def predict(self, text: str) -> str:
        return self.answer(text=text)

try:
    Hider(timeout=20).predict("x")
except Exception as error:
    print(type(error).__name__, error)
"""

HIDDEN = """
import os, time
os.mkdir("/exchange/d", 0o700)
open("/exchange/d/file", "w").close()
os.chmod("/exchange/d", 0o300)
time.sleep(600)
"""


def test_a_folder_that_hides_what_is_in_it_counts_as_too_much(bookworm, ordinary):
    done = ordinary.python(HIDE.format(image=bookworm, code=HIDDEN))

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("OutputError Hider: it left more than 100,000 files, or ")
    assert "that cannot be read" in done.stdout


def test_files_that_were_removed_while_they_are_open_count_too(sample: Make):
    code = """
import time
kept = []
for number in range(4):
    kept.append(open(f"{FOLDER}/file", "wb"))
    os.unlink(kept[-1].name)
    os.posix_fallocate(kept[-1].fileno(), 0, 2**30 - 1)
time.sleep(600)
"""
    before = free()

    refused(sample(code, max_output="1g", timeout=20), "the free space at .* fell by more than")

    assert before - free() < GIB


def test_a_link_that_takes_the_place_of_a_folder_is_not_followed(tmp_path, monkeypatch):
    outside, top = tmp_path / "outside", tmp_path / "top"
    outside.mkdir()
    (outside / "file").write_text("stays")
    (top / "exchange").mkdir(parents=True)
    (top / "owner").touch()
    unlink = os.unlink

    def swap(path, **options):
        """Do what a container that still lives could do at this moment."""
        unlink(path, **options)
        (top / "exchange").rename(tmp_path / "aside")
        (top / "exchange").symlink_to(outside)

    monkeypatch.setattr(os, "unlink", swap)

    with pytest.raises(OSError, match="exchange"):
        remove_tree(top)

    assert (outside / "file").read_text() == "stays"


@pytest.fixture
def abandoned(engine, bookworm, tmp_path, monkeypatch):
    """A container and a directory of a dead process, which to other processes is elsewhere."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(owner, "_machine", lambda: "of a test")
    dead = replace(this_process(), boot="earlier")
    config = {"Image": bookworm, "Cmd": ["true"], "Labels": {LABEL: str(dead)}}
    container = engine.api.create_container_from_config(config)["Id"]
    folder = tmp_path / f"{PREFIX}abandoned"
    folder.mkdir()
    (folder / "owner").write_text(f"{dead}\n")
    yield folder
    with suppress(docker.errors.NotFound):
        engine.api.remove_container(container, force=True)


def test_a_directory_stays_while_its_container_may_live(engine, abandoned, monkeypatch):
    def refuse(*_args, **_options):
        raise docker.errors.APIError("no")

    with monkeypatch.context() as patched:
        patched.setattr(engine.api, "remove_container", refuse)
        assert leftovers.sweep(engine) == []
    assert abandoned.exists()

    removed = leftovers.sweep(engine)

    assert [one.split()[0] for one in removed] == ["container", "directory"]
    assert not abandoned.exists()


@pytest.mark.parametrize("kind", ["a FIFO", "a link", "a directory that is a link", "a long file"])
def test_an_owner_that_is_no_file_of_ours_is_nobody(engine, abandoned, tmp_path, kind):
    file = abandoned / "owner"
    match kind:
        case "a FIFO":
            file.unlink()
            os.mkfifo(file)
        case "a link":
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
        case "a directory that is a link":
            abandoned.rename(tmp_path / "elsewhere")
            abandoned.symlink_to(tmp_path / "elsewhere")
        case _:
            file.write_text(" " * 1000 + file.read_text())
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(leftovers.sweep(engine)), daemon=True)
    thread.start()
    thread.join(SOON)

    assert [one.split()[0] for one in found[0]] == ["container"]
    assert abandoned.exists()
