"""A package from its making to its use elsewhere: set up, tested, published, pulled, asked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bridge() -> Iterator[str]:
    """A network bridge for another engine: a dockerd that has none of its own removes docker0."""
    name = f"repro{os.getpid()}"
    try:
        _ip("link", "add", name, "type", "bridge")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"another dockerd needs a bridge, which cannot be made here: {error}")
    _ip("addr", "add", "192.0.2.1/24", "dev", name)  # of a network for examples (RFC 5737)
    yield name
    _ip("link", "delete", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def elsewhere(engine, bridge, tmp_path_factory) -> Iterator[str]:
    """Another engine on this machine, which has no images; its address."""
    if shutil.which("dockerd") is None or engine.podman:
        pytest.skip("there is no other dockerd to start")
    folder = tmp_path_factory.mktemp("d", numbered=True)  # a socket's path is short
    address = f"unix://{folder}/s"
    command = ["dockerd", "-H", address, "--data-root", f"{folder}/data", "-p", f"{folder}/pid"]
    command += ["--exec-root", f"{folder}/exec", "--bridge", bridge]
    command += ["--iptables=false", "--ip-forward=false", "--ip-masq=false"]  # it changes nothing
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 30
        while not (folder / "s").exists() or "API listen on" not in log.read_text():
            ended = process.poll() is not None or time.monotonic() > deadline
            assert not ended, f"dockerd does not answer: {log.read_text()[-2000:]}"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait(10)
        with suppress(OSError):
            shutil.rmtree(folder)


PAPER = "https://example.org/paper"


def make(checkout) -> Path:
    """Write a package as its author would begin, on a parent that any registry may have."""
    about = ("--license", "MIT", "--title", "A Paper", "--author", "Kane", "--url", PAPER)
    done = checkout.repro("new", "kane2020", "--yes", *about)
    assert done.returncode == 0, done.stderr
    folder = checkout.folder / "models" / "kane2020"
    card, dockerfile = folder / "model.toml", folder / "Dockerfile"
    card.write_text(card.read_text().replace("publish  = false", "publish = true"))
    libraries = (
        f"{checkout.library}/{name}" for name in ("libm.so.6", "libz.so.1", "libexpat.so.1")
    )
    files = (*libraries, "/usr/lib/python3.11", "/opt/repro/repro_runtime.py")
    python = {"/usr/bin/python3.11": "/usr/bin/python", **{file: file for file in files}}
    parent = f"FROM scratch\n{checkout.copies(python)}ENV PYTHONPATH=/opt/repro\nWORKDIR /app\n"
    dockerfile.write_text(dockerfile.read_text().replace("ARG BASE\nFROM ${BASE}\n", parent))
    return folder


def finish(*folders: Path) -> None:
    """Do what `Replace this` marks: say that the model answers with its text, as it does."""
    for file in (file for folder in folders for file in folder.rglob("*") if file.is_file()):
        text = file.read_text()
        file.write_text(re.sub("(?i)replace this", "the text itself", text))


def test_a_package_is_made_published_and_used_elsewhere(checkout, meddler, elsewhere):
    folder = make(checkout)
    unfinished = checkout.repro("check", "kane2020", "--level", "card")
    finish(folder, checkout.folder / "repro" / "models" / "kane2020")

    setup = checkout.repro("setup", "kane2020", "--json")
    tested = checkout.repro("test", "kane2020", "--json")
    to = ("--registry", f"{meddler.address}/lab")
    done = checkout.repro("publish", "kane2020", *to, "--json")

    def lie(method: str, path: str, headers: Any, body: bytes) -> Any:
        if method == "GET" and "/manifests/" in path:
            return headers, body.replace(b":", b": ", 1)
        return headers, body

    honest, meddler.after = meddler.after, lie
    there = {"DOCKER_HOST": elsewhere}
    refused = checkout.repro("setup", "kane2020", "--pull", **there)
    meddler.after = honest
    pulled = checkout.repro("setup", "kane2020", "--pull", "--locked", "--json", **there)
    answer = checkout.repro("predict", "--model", "kane2020", "-i", "text=a b", **there)
    planned = checkout.repro("publish", "kane2020", "--plan", "--json", *to, **there)

    assert unfinished.returncode == 1
    assert "card.finished: error: model.toml" in unfinished.stdout
    assert json.loads(setup.stdout)[0]["action"] == "built", setup.stderr
    assert json.loads(tested.stdout)[0]["passed"] is True, tested.stdout
    assert done.returncode == 0, done.stderr
    digest = json.loads(done.stdout)[0]["digest"]
    assert digest in (folder / "image.lock").read_text()
    assert refused.returncode == 3, refused.stdout
    assert f"{meddler.address}/lab/kane2020@{digest} cannot be pulled" in refused.stderr
    assert json.loads(pulled.stdout)[0]["action"] == "pulled", pulled.stderr
    assert answer.stdout == '"a b"\n', answer.stderr
    assert json.loads(planned.stdout)[0]["action"] == "present"
