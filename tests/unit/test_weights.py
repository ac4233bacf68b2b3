"""Weights are fetched from servers that are slow, cut off, lie and serve something else."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog.weights import Weights
from repro.engine import weights as fetching
from repro.engine.weights import fetch
from repro.errors import ConfigurationError, DiskFull, EngineError, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Act = Callable[["Handler"], None]

WHOLE = bytes(range(256)) * 4096  # 1 MiB
HALF = len(WHOLE) // 2
SHA256 = hashlib.sha256(WHOLE).hexdigest()

FETCH = """
import sys
from repro.catalog.weights import Weights
from repro.engine.weights import fetch
url, sha256, size = sys.argv[1:]
print(fetch(Weights(path="w/model.bin", url=url, sha256=sha256, bytes=int(size)), print))
"""


class Handler(BaseHTTPRequestHandler):
    """Answers each request as the next act of the server says, and then well."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append((self.path, asked))
        self.start = int(re.findall(r"\d+", asked)[0]) if asked else 0
        act = self.server.acts.popleft() if self.server.acts else well
        act(self)
        self.close_connection = True

    do_HEAD = do_GET  # noqa: N815  the name that `http.server` calls

    def head(self, status: int, *headers: tuple[str, object]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.acts: deque[Act] = deque()
        self.url = f"http://127.0.0.1:{self.server_port}/model.bin"

    def handle_error(self, *_: object) -> None: ...  # who asked went away

    @property
    def ranges(self) -> list[str]:
        return [asked for _, asked in self.asked]


def well(handler: Handler, content: bytes = WHOLE) -> None:
    rest = content[handler.start :]
    if not handler.start:
        handler.head(200, ("Content-Length", len(rest)))
    else:
        span = f"bytes {handler.start}-{len(content) - 1}/{len(content)}"
        handler.head(206, ("Content-Length", len(rest)), ("Content-Range", span))
    handler.wfile.write(rest)


def cut(handler: Handler, after: int = HALF) -> None:
    """Say the whole length, and end before it."""
    span = f"bytes {handler.start}-{len(WHOLE) - 1}/{len(WHOLE)}"
    status = 206 if handler.start else 200
    handler.head(status, ("Content-Length", len(WHOLE) - handler.start), ("Content-Range", span))
    handler.wfile.write(WHOLE[handler.start : after])


def without_ranges(handler: Handler, content: bytes = WHOLE) -> None:
    handler.start = 0
    well(handler, content)


def slow(handler: Handler) -> None:
    handler.head(200, ("Content-Length", len(WHOLE)))
    for start in range(0, len(WHOLE), HALF // 4):
        handler.wfile.write(WHOLE[start : start + HALF // 4])
        time.sleep(0.05)


def silent(handler: Handler) -> None:
    cut(handler, HALF)
    handler.wfile.flush()
    time.sleep(4)


def claiming(length: int) -> Act:
    """Say another length than what is sent."""

    def act(handler: Handler) -> None:
        handler.head(200, ("Content-Length", length))
        handler.wfile.write(WHOLE)

    return act


def endless(handler: Handler) -> None:
    """Say no length, and send more than there should be."""
    handler.head(200)
    for _ in range(3):
        handler.wfile.write(WHOLE)


def unsaid(handler: Handler) -> None:
    """Say no length, and end too early: nothing tells that it is not the whole."""
    handler.head(200)
    handler.wfile.write(WHOLE[:HALF])


def saying(status: int) -> Act:
    return lambda handler: handler.head(status, ("Content-Length", 0))


def elsewhere(handler: Handler) -> None:
    handler.head(302, ("Location", "/moved"), ("Content-Length", 0))


def another(handler: Handler) -> None:
    well(handler, WHOLE[::-1])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=partial(made.serve_forever, poll_interval=0.01))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def weights(server: Server) -> Weights:
    return Weights(path="w/model.bin", url=server.url, sha256=SHA256, bytes=len(WHOLE))


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fetching, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(fetching, "SILENCE", 2.0)
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("REPRO_WEIGHTS_MIRROR", raising=False)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "weights"


def part_of(cache: Path) -> Path:
    return cache / f"{SHA256}.part"


def assert_fetched(path: Path, cache: Path) -> None:
    assert path == cache / SHA256
    assert path.read_bytes() == WHOLE
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in cache.iterdir()] == [SHA256]


def test_a_file_is_fetched_once_and_then_taken_from_the_cache(
    server: Server, weights: Weights, cache: Path
) -> None:
    told: list[str] = []

    assert_fetched(fetch(weights, told.append), cache)
    assert told == [f"fetching w/model.bin, 1.0 MB, from {server.url}"]
    assert_fetched(fetch(weights), cache)
    assert_fetched(fetch(replace(weights, url="https://nowhere.invalid/x")), cache)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("acts", "ranges"),
    [
        ([slow], [""]),
        ([cut], ["", f"bytes={HALF}-"]),
        (
            [cut, *(partial(cut, after=HALF + number * 2**14) for number in range(1, 7))],
            ["", *(f"bytes={HALF + number * 2**14}-" for number in range(7))],
        ),
        ([silent], ["", f"bytes={HALF}-"]),
        ([cut, without_ranges], ["", f"bytes={HALF}-"]),
        ([unsaid], ["", f"bytes={HALF}-"]),
        ([saying(503)], ["", ""]),
        ([saying(429), saying(500)], ["", "", ""]),
        ([cut, saying(416)], ["", f"bytes={HALF}-", ""]),
        ([elsewhere], ["", ""]),
    ],
    ids=[
        "slow",
        "cut off",
        "cut off again and again",
        "falls silent",
        "knows no ranges",
        "says no length and ends early",
        "is overloaded",
        "is overloaded twice",
        "has less than was fetched",
        "is elsewhere",
    ],
)
def test_a_server_that_recovers_is_asked_for_the_rest(
    server: Server, weights: Weights, cache: Path, acts: list[Act], ranges: list[str]
) -> None:
    server.acts.extend(acts)

    assert_fetched(fetch(weights), cache)
    assert server.ranges == ranges


@pytest.mark.parametrize(
    ("acts", "problem", "tries"),
    [
        ([saying(404)], "it answers 404 Not Found", 1),
        ([saying(403)], "it answers 403 Forbidden", 1),
        ([saying(503)] * 3, "it answers 503 Service Unavailable", 3),
        ([claiming(HALF)], f"its file has {HALF:,} bytes, the card's {len(WHOLE):,}", 1),
        ([claiming(2 * HALF + 1)], f"its file has {2 * HALF + 1:,} bytes", 1),
        ([endless], f"it sends more than the card's {len(WHOLE):,} bytes", 1),
        ([another], "it is another file, with SHA-256 ", 1),
        ([partial(cut, after=0)] * 3, "", 3),
    ],
    ids=[
        "not there",
        "not for us",
        "overloaded for good",
        "too short",
        "too long",
        "endless",
        "another file",
        "sends nothing",
    ],
)
def test_a_server_that_does_not_recover_leaves_it_to_the_mirrors(
    server: Server, weights: Weights, cache: Path, acts: list[Act], problem: str, tries: int
) -> None:
    mirror = f"{server.url}?mirror"
    server.acts.extend(acts)
    told: list[str] = []

    assert_fetched(fetch(replace(weights, mirrors=(mirror,)), told.append), cache)
    assert server.asked == [("/model.bin", "")] * tries + [("/model.bin?mirror", "")]
    assert f"{server.url}: {problem}" in "\n".join(told)


def test_a_mirror_goes_on_where_another_place_was_cut_off(
    server: Server, weights: Weights, cache: Path
) -> None:
    server.acts.extend([cut, saying(404)])

    assert_fetched(fetch(replace(weights, mirrors=(f"{server.url}?mirror",))), cache)
    assert server.asked[-1] == ("/model.bin?mirror", f"bytes={HALF}-")


@pytest.mark.parametrize("size", [HALF, len(WHOLE), len(WHOLE) + 1])
def test_what_another_try_left_and_is_wrong_is_fetched_once_more_from_the_start(
    server: Server, weights: Weights, cache: Path, size: int
) -> None:
    cache.mkdir(parents=True)
    part_of(cache).write_bytes(b"?" * size)

    assert_fetched(fetch(weights), cache)
    assert server.ranges == ([f"bytes={HALF}-", ""] if size == HALF else [""])


def test_a_wrong_file_that_is_always_cut_off_is_given_up(
    server: Server, weights: Weights, cache: Path
) -> None:
    begin = partial(cut, after=HALF)
    server.acts.extend([begin, another] * 8)

    with pytest.raises(WeightsUnavailable, match="it is another file"):
        fetch(weights)
    assert server.ranges == ["", f"bytes={HALF}-"] * 2
    assert list(cache.iterdir()) == []


def test_a_failure_names_the_file_every_place_and_what_to_do(
    server: Server, weights: Weights, cache: Path
) -> None:
    server.acts.extend([saying(404), another])
    nobody = "http://127.0.0.1:9/model.bin"

    with pytest.raises(WeightsUnavailable) as caught:
        fetch(replace(weights, mirrors=(f"{server.url}?mirror", nobody)))

    assert str(caught.value) == (
        f"w/model.bin cannot be fetched: {server.url}: it answers 404 Not Found; "
        f"{server.url}?mirror: it is another file, with SHA-256 "
        f"{hashlib.sha256(WHOLE[::-1]).hexdigest()}; "
        f"{nobody}: Failed to establish a new connection: [Errno 111] Connection refused; "
        f"put the file whose SHA-256 is {SHA256} at {cache / SHA256}, or name a folder or an "
        "address that has it under that name (REPRO_WEIGHTS_MIRROR)"
    )


def test_a_host_that_no_name_server_knows_is_told(weights: Weights) -> None:
    with pytest.raises(
        WeightsUnavailable, match=r"https://nowhere\.invalid/x: Failed to resolve 'now"
    ):
        fetch(replace(weights, url="https://nowhere.invalid/x"))


@pytest.fixture
def certificate(server: Server, tmp_path: Path) -> Path:
    """Make the server speak TLS, with a certificate that nobody knows."""
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(file)]
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"https://localhost:{server.server_port}/model.bin"
    return file


@pytest.mark.parametrize("variable", ["REPRO_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_certificate_is_checked_against_the_bundle_of_the_environment(
    server: Server,
    weights: Weights,
    cache: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    for name in ("REPRO_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    secure = replace(weights, url=server.url)
    with pytest.raises(WeightsUnavailable, match=r"its certificate is not accepted: .*self-signed"):
        fetch(secure)
    monkeypatch.setenv(variable, str(certificate.with_name("missing.pem")))
    with pytest.raises(ConfigurationError, match=r"invalid path: .*missing\.pem"):
        fetch(secure)
    monkeypatch.setenv(variable, str(certificate))

    assert_fetched(fetch(secure), cache)


def test_what_is_there_outlives_a_page_that_is_no_file(
    server: Server, weights: Weights, cache: Path
) -> None:
    server.acts.extend([cut, saying(404), partial(without_ranges, content=b"<html>")])
    with pytest.raises(WeightsUnavailable, match="its file has 6 bytes"):
        fetch(replace(weights, mirrors=(f"{server.url}?mirror",)))

    assert part_of(cache).stat().st_size == HALF
    assert_fetched(fetch(weights), cache)
    assert server.ranges[-1] == f"bytes={HALF}-"


def test_a_file_put_there_by_hand_is_enough(weights: Weights, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / SHA256).write_bytes(WHOLE)

    assert fetch(replace(weights, url="https://nowhere.invalid/x")) == cache / SHA256


@pytest.mark.parametrize("kind", ["folder", "address", "configuration"])
def test_the_mirror_of_a_user_is_asked_first(
    server: Server,
    weights: Weights,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / SHA256).write_bytes(WHOLE)
    address = server.url.rpartition("/")[0]
    if kind == "configuration":
        Path(os.environ["REPRO_CONFIG"]).write_text(f'weights_mirror = "{folder}"\n')
    else:
        monkeypatch.setenv("REPRO_WEIGHTS_MIRROR", str(folder if kind == "folder" else address))

    assert_fetched(fetch(weights), cache)
    assert server.asked == ([(f"/{SHA256}", "")] if kind == "address" else [])
    Path(os.environ["REPRO_CONFIG"]).write_text("")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"short", f"it has 5 bytes, the card's {len(WHOLE):,}"),
        (WHOLE[::-1], "it is another file"),
        (WHOLE + b"!", "it sends more than the card's"),
    ],
)
def test_a_mirror_without_the_file_leaves_it_to_the_card(
    server: Server,
    weights: Weights,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    problem: str,
) -> None:
    monkeypatch.setenv("REPRO_WEIGHTS_MIRROR", str(tmp_path))
    if content is not None:
        (tmp_path / SHA256).write_bytes(content)
    told: list[str] = []

    assert_fetched(fetch(weights, told.append), cache)
    assert f"{tmp_path / SHA256}: {problem}" in "\n".join(told)
    assert server.ranges == [""]


def test_two_processes_fetch_a_file_once(
    server: Server, weights: Weights, cache: Path, tmp_path: Path
) -> None:
    server.acts.append(slow)
    command = [sys.executable, "-c", FETCH, weights.url, SHA256, str(len(WHOLE))]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment(tmp_path))
        for _ in range(2)
    ]
    printed = "".join(process.communicate(timeout=60)[0] for process in both)

    assert [process.returncode for process in both] == [0, 0]
    assert len(server.asked) == 1
    assert printed.count(str(cache / SHA256)) >= 2
    assert_fetched(cache / SHA256, cache)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_ended_leaves_what_it_has_to_the_next(
    server: Server, weights: Weights, cache: Path, tmp_path: Path, how: signal.Signals
) -> None:
    hold = threading.Event()

    def half(handler: Handler) -> None:
        cut(handler, HALF)
        handler.wfile.flush()
        hold.wait(30)

    server.acts.append(half)
    command = [sys.executable, "-c", FETCH, weights.url, SHA256, str(len(WHOLE))]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(tmp_path)
    )
    deadline = time.monotonic() + 30
    while not part_of(cache).is_file() or part_of(cache).stat().st_size < HALF // 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(how)
    process.wait(30)
    left = part_of(cache).stat().st_size
    hold.set()

    assert_fetched(fetch(weights), cache)
    assert server.ranges == ["", f"bytes={left}-"]


def _environment(tmp_path: Path) -> dict[str, str]:
    """The lock's folder, too, is one of the test's own."""
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "xdg")}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A cache on a disk of 1.5 MB."""
    disk = tmp_path / "cache"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", str(disk)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_without_space_is_told_before_anything_is_fetched(
    server: Server, weights: Weights, small: Path
) -> None:
    (small / "filler").write_bytes(bytes(2**20))

    with pytest.raises(DiskFull, match=r"w/model\.bin needs 1\.0 MB; free some, or name another"):
        fetch(weights)
    assert server.asked == []


def test_a_disk_that_fills_up_meanwhile_is_told_and_what_is_there_is_kept(
    server: Server, weights: Weights, small: Path
) -> None:
    def fill(handler: Handler) -> None:
        handler.head(200, ("Content-Length", len(WHOLE)))
        handler.wfile.write(WHOLE[:HALF])
        (small / "filler").write_bytes(bytes(900 * 1024))
        handler.wfile.write(WHOLE[HALF:])

    server.acts.append(fill)
    with pytest.raises(DiskFull, match="no space left on the device"):
        fetch(replace(weights, mirrors=(f"{server.url}?mirror",)))
    assert len(server.asked) == 1
    (small / "filler").unlink()

    assert_fetched(fetch(weights), small / "weights")
    assert server.ranges[-1].startswith("bytes=")


def test_a_disk_that_takes_only_a_part_of_the_last_bytes_is_told(
    weights: Weights, cache: Path
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(WHOLE) - 1000, limits[1]))
    try:
        with pytest.raises(EngineError, match="too large"):
            fetch(weights)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert_fetched(fetch(weights), cache)


def test_a_cache_that_cannot_be_written_is_told(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "file"))

    with pytest.raises(EngineError, match=r"Not a directory; name another folder \(REPRO_CACHE\)"):
        fetch(weights)


@pytest.mark.parametrize(
    ("url", "library", "extra"),
    [
        ("gdrive://1A2b3C", "gdown", "gdrive"),
        (f"hf://facebook/bart/model.bin@{'0' * 40}", "huggingface_hub", "hub"),
    ],
)
def test_a_place_that_takes_a_library_names_the_extra(
    server: Server,
    weights: Weights,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    library: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    only = replace(weights, url=url)

    with pytest.raises(ConfigurationError) as caught:
        fetch(only)
    assert str(caught.value) == (
        f"w/model.bin cannot be fetched: {url}: it takes the library {library} "
        f"(pip install 'repro-models[{extra}]')"
    )
    assert_fetched(fetch(replace(only, mirrors=(server.url,))), cache)


def test_the_client_of_a_model_hub_fetches_a_commit_of_a_repository(
    server: Server, cache: Path, tmp_path: Path
) -> None:
    pytest.importorskip("huggingface_hub")
    commit = "0123456789" * 4
    headers = [("X-Repo-Commit", commit), ("ETag", '"1"'), ("Content-Length", len(WHOLE))]

    def hub(handler: Handler) -> None:
        handler.head(200, *headers)
        if handler.command == "GET":
            handler.wfile.write(WHOLE)

    server.acts.extend([hub] * 9)
    url = f"hf://facebook/bart/onnx/model.bin@{commit}"
    done = subprocess.run(
        [sys.executable, "-c", FETCH, url, SHA256, str(len(WHOLE))],
        env={**_environment(tmp_path), "HF_ENDPOINT": server.url.rpartition("/")[0]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert server.asked[-1][0] == f"/facebook/bart/resolve/{commit}/onnx/model.bin"
    assert_fetched(cache / SHA256, cache)


def test_what_google_drive_delivers_is_checked_like_anything_else(
    weights: Weights, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the library: Drive itself cannot be had on this machine."""

    class Drive:
        content = WHOLE[::-1]

        @classmethod
        def download(cls, *, id: str, output: Any, **_: object) -> None:  # noqa: A002
            if id != "1A2b3C":
                raise RuntimeError("\nCannot retrieve the public link of the file.\n")
            output.write(cls.content)

    monkeypatch.setitem(sys.modules, "gdown", Drive)
    drive = replace(weights, url="gdrive://1A2b3C")
    with pytest.raises(WeightsUnavailable, match=r"gdrive://1A2b3C: it is another file"):
        fetch(drive)
    with pytest.raises(WeightsUnavailable, match=r"gdrive://x: Cannot retrieve the public link"):
        fetch(replace(weights, url="gdrive://x"))
    Drive.content = WHOLE

    assert_fetched(fetch(drive), cache)
