"""What `repro lock` finds in an image, and what `repro setup --locked` says when it is another."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from repro.catalog.lockfile import Wheel, read_lock, write_lock
from repro.engine.base import base_digest

if TYPE_CHECKING:
    from pathlib import Path

ONE = "1" * 64
WEIGHTS = sha256(b"weights").hexdigest()
SITE = "/usr/local/lib/python3.11/dist-packages"


@pytest.fixture
def package(checkout) -> Path:
    """A package on our base, with a distribution that is pinned and one that is not."""
    folder = checkout.add("made2020")
    (folder / "requirements.txt").write_text(f"pinned_one==1.5 \\\n    --hash=sha256:{ONE}\n")
    for name in ("pinned_one-1.5", "loose-2.0"):
        about = folder / "site" / f"{name}.dist-info"
        about.mkdir(parents=True)
        (about / "RECORD").write_text(f"{name}.py,,\n")
    (folder / "Dockerfile").write_text(
        f"ARG BASE\nFROM ${{BASE}}\nCOPY site {SITE}\nCOPY weights /opt/weights\n"
        "COPY src /app\nWORKDIR /app\n"
    )
    mirror = checkout.folder / "mirror"
    mirror.mkdir()
    (mirror / WEIGHTS).write_bytes(b"weights")
    checkout.settings["weights_mirror"] = str(mirror)
    with (folder / "model.toml").open("a") as card:
        card.write(
            '[[weights]]\npath = "weights/model.bin"\nurl = "https://localhost/model.bin"\n'
            f'sha256 = "{WEIGHTS}"\nbytes = 7\n'
        )
    return folder


def test_a_lock_has_all_that_an_image_is_made_of(checkout, package, inside):
    before = checkout.repro("lock", "made2020")
    checkout.repro("setup", "made2020")
    done = checkout.repro("lock", "made2020", "--json")
    again = (package / "image.lock").read_bytes()
    checkout.repro("lock", "made2020")
    present = checkout.repro("setup", "made2020", "--locked", "--json")

    assert before.returncode == 3
    assert "`repro setup made2020` builds it" in before.stderr
    locked = read_lock(package).images[0]
    code = (
        "import json, subprocess as s; print(json.dumps(s.getoutput('dpkg-query -W').split('\\n')))"
    )
    listed = dict(line.split("\t") for line in inside(code, image=checkout.image("made2020")))
    assert {name.partition(":")[0]: version for name, version in listed.items()} == locked.debian
    assert locked.files == {"weights/model.bin": WEIGHTS}
    assert locked.base == {"bookworm": base_digest("bookworm")}
    loose, pinned = locked.python
    assert pinned == Wheel(name="pinned-one", version="1.5", sha256=(ONE,))
    assert (loose.name, loose.version) == ("loose", "2.0")
    assert re.fullmatch("[0-9a-f]{64}", loose.record)
    assert json.loads(done.stdout)[0]["debian"] == len(listed)
    assert (package / "image.lock").read_bytes() == again
    assert json.loads(present.stdout)[0]["action"] == "present", present.stderr


def test_a_set_up_that_differs_from_the_lock_names_what_does(checkout, package):
    checkout.repro("setup", "made2020")
    without = checkout.repro("setup", "made2020", "--locked")
    checkout.repro("lock", "made2020")
    path = package / "image.lock"
    text = path.read_text()

    told = {}
    for what, pattern, replacement in (
        ("debian", r'(?m)^libc6 = ".*"', 'libc6 = "2.0-1"'),
        ("wheel", ONE, "2" * 64),
        ("base", r'(?m)^bookworm = ".*"', f'bookworm = "{ONE}"'),
        ("version", r'version = "1.0"', 'version = "0.9"'),
        ("platform", r'platform = ".*"', 'platform = "plan9/mips"'),
    ):
        path.write_text(re.sub(pattern, replacement, text, count=1))
        done = checkout.repro("setup", "made2020", "--locked")
        assert done.returncode == 3
        told[what] = done.stderr
    path.write_text(text)
    (package / "src" / "run.sh").write_text("exit 0\n")
    context = checkout.repro("setup", "made2020", "--locked")

    assert without.returncode == 2
    assert "`repro lock made2020` writes it" in without.stderr
    assert "Debian's libc6: locked 2.0-1, now 2." in told["debian"]
    assert "Python's pinned-one: locked 1.5 (wheel 222222222222…), now 1.5" in told["wheel"]
    assert "the base bookworm: locked 111111111111…, now " in told["base"]
    assert "the version: locked 0.9, now 1.0" in told["version"]
    assert "the platform: locked plan9/mips, now linux/" in told["platform"]
    assert context.returncode == 3
    assert "the build context: locked " in context.stderr


def test_an_image_without_a_shell_has_no_packages_and_is_locked(checkout, bookworm):
    folder = checkout.add("bare2020")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY src /app\n")
    checkout.repro("setup", "bare2020")

    done = checkout.repro("lock", "bare2020")

    assert done.returncode == 0, done.stderr
    locked = read_lock(folder).images[0]
    assert (locked.debian, locked.python, locked.base) == ({}, (), {})


def test_an_image_that_lists_packages_without_end_is_refused(checkout):
    folder = checkout.add("endless2020", more="ENV PATH=/app:/bin\n")
    program = folder / "src" / "dpkg-query"
    program.write_text("#!/bin/sh\nwhile :; do echo debian ii  libc6 2.31; done\n")
    program.chmod(0o755)
    checkout.repro("setup", "endless2020")

    done = checkout.repro("lock", "endless2020")

    assert done.returncode == 1
    assert "its list of packages is longer than 16,777,216 bytes" in done.stderr
    assert not (folder / "image.lock").exists()


def test_what_was_published_stays_in_the_lock_until_the_files_change(checkout):
    folder = checkout.add("small2020")
    checkout.repro("setup", "small2020")
    checkout.repro("lock", "small2020")
    text = (folder / "image.lock").read_text()
    place = {"ghcr.io/owner/small2020": f"sha256:{ONE}"}
    lock = read_lock(folder)
    write_lock(folder, replace_published(lock, place))

    checkout.repro("lock", "small2020")
    kept = read_lock(folder).images[0].published
    (folder / "src" / "more.txt").write_text("more")
    checkout.repro("setup", "small2020", "--build")
    refused = checkout.repro("lock", "small2020")
    still = read_lock(folder).images[0].published
    card = (folder / "model.toml").read_text()
    (folder / "model.toml").write_text(card.replace('version = "1.0"', 'version = "1.1"'))
    checkout.repro("setup", "small2020", "--build")
    checkout.repro("lock", "small2020")

    assert "published" not in text
    assert kept == still == place
    assert refused.returncode == 2
    assert "write a new version into model.toml" in refused.stderr
    assert read_lock(folder).images[0].published == {}


def replace_published(lock, place):
    from dataclasses import replace

    return replace(lock, images=(replace(lock.images[0], published=place),))
