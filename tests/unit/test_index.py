"""The index of cards: it says what the cards say, whatever became of them or of itself."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.catalog import (
    card,
    cards,
    find_model,
    find_package,
    index,
    list_models,
    list_packages,
    places,
    read_cards,
)
from repro.catalog.listing import list_entries
from repro.errors import CardError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

CARD = """
version = "1.0"
title   = "{title}"
summary = "Of the package {package}"
license = "MIT"
upstream = "parser 1.0"

[paper]
authors = ["Ann Õne", "Bob Two"]
year    = 2020

[models.{package}-a]
class = "A"
task  = "dependency-parsing"

[models.{package}-b]
class = "B"
task  = "part-of-speech-tagging"
"""


class Checkout:
    """A folder of packages in place of the real one, and the cards that were read of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "models"
        self.cache = folder / "cache"
        self.read: list[str] = []
        self.root.mkdir()
        (folder / "Dockerfile.base").touch()

    def write(self, package: str, content: str = CARD, title: str = "A title") -> Path:
        """Write a card as if that was long ago, so that it may be trusted to be settled."""
        file = self.root / package / "model.toml"
        file.parent.mkdir(exist_ok=True)
        draft = file.with_name("draft")
        draft.write_text(content.replace("{title}", title).replace("{package}", package))
        long_ago = time.time_ns() - 10**10
        os.utime(draft, ns=(long_ago, long_ago))
        return draft.replace(file)

    def titles(self) -> list[object]:
        return [entry["title"] for entry in list_entries()]

    def reread(self) -> list[str]:
        """Name the packages whose cards are read for a list."""
        self.read.clear()
        list_entries()
        return list(self.read)

    @property
    def file(self) -> Path:
        (found,) = self.cache.glob("index-*.json")
        return found


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    made = Checkout(tmp_path)
    original: Callable[..., card.Card] = card.read_card

    def read(file: Path, *module: str) -> card.Card:
        made.read.append(file.parent.name)
        return original(file, *module)

    monkeypatch.setattr(places, "_share", lambda: tmp_path)
    for reader in (card, cards):
        monkeypatch.setattr(reader, "read_card", read)
    monkeypatch.setenv("REPRO_CACHE", str(made.cache))
    return made


@pytest.fixture
def two(checkout: Checkout) -> Checkout:
    """Two cards, indexed."""
    checkout.write("one2001")
    checkout.write("two2002")
    assert checkout.reread() == ["one2001", "two2002"]
    return checkout


def test_cards_that_did_not_change_are_not_read_again(two):
    before = two.file.read_bytes()

    assert two.reread() == []
    assert two.file.read_bytes() == before


def test_an_index_says_what_the_cards_say(two, monkeypatch):
    indexed = list_entries(), list_entries(["õne", "PARSING"]), list_models()
    monkeypatch.setattr(index, "_load", lambda _root: {})

    assert (list_entries(), list_entries(["õne", "PARSING"]), list_models()) == indexed
    assert [entry["model"] for entry in indexed[1]] == ["one2001-a", "two2002-a"]
    assert indexed[2] == ["one2001-a", "one2001-b", "two2002-a", "two2002-b"]


def test_a_card_that_is_not_right_hides_no_other(checkout):
    checkout.write("broken2000", "title = 1")
    checkout.write("one2001")
    checkout.write("two2002")
    told = []

    models = [entry["model"] for entry in list_entries(on_error=told.append)]
    again = [entry["model"] for entry in list_entries(on_error=told.append)]

    assert models == again == ["one2001-a", "one2001-b", "two2002-a", "two2002-b"]
    assert list_models(on_error=told.append) == models
    assert [found.package for found in cards.read_cards(told.append)] == ["one2001", "two2002"]
    assert [error.file for error in told] == ["broken2000/model.toml"] * 4
    assert cards.list_packages() == ["broken2000", "one2001", "two2002"]


UNREADABLE = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to itself": lambda card: card.symlink_to(card.name),
    "a link to nothing": lambda card: card.symlink_to("nowhere"),
    "a folder that is a link to itself": lambda card: (
        card.parent.rmdir(),
        card.parent.symlink_to(card.parent.name),
    ),
    "nested without end": lambda card: card.write_text("a = " + "[" * 10_000),
    "not UTF-8": lambda card: card.write_bytes(b"\xff"),
}


@pytest.mark.parametrize("make", UNREADABLE.values(), ids=list(UNREADABLE))
def test_a_card_that_cannot_be_read_is_told_and_hides_no_other(two, make):
    (two.root / "broken2000").mkdir()
    make(two.root / "broken2000" / "model.toml")
    told: list[CardError] = []

    read = [card.package for card in read_cards(told.append)]
    listed = list_models(told.append)

    assert read == ["one2001", "two2002"]
    assert listed == ["one2001-a", "one2001-b", "two2002-a", "two2002-b"]
    assert {error.file for error in told} == {"broken2000/model.toml"}
    assert len(told) == 2
    assert find_model("one2001-a")[0].package == "one2001"
    assert "broken2000" in list_packages()
    for look in (lambda: find_package("broken2000"), lambda: find_model("broken2000-a")):
        with pytest.raises(CardError, match=r"broken2000/model\.toml: the file: "):
            look()


def test_a_folder_of_cards_that_cannot_be_read_is_told(checkout):
    checkout.root.rmdir()
    checkout.root.touch()
    told: list[CardError] = []

    assert not list(read_cards(told.append))
    assert [str(error) for error in told] == [f"{checkout.root}: the folder: Not a directory"]


def test_where_nobody_is_told_a_card_that_is_not_right_is_an_error(checkout):
    checkout.write("broken2000", "title = 1")
    checkout.write("one2001")

    for read in (list_entries, list_models, lambda: list(cards.read_cards())):
        with pytest.raises(CardError, match=r"^broken2000/model.toml: "):
            read()


def test_a_model_is_found_beside_a_card_that_is_not_right(checkout):
    checkout.write("broken2000", "title = 1")
    checkout.write("one2001")

    found, model = cards.find_model("one2001-b")

    assert (found.package, model.class_name) == ("one2001", "B")
    with pytest.raises(CardError, match=r"^broken2000/model.toml: "):
        cards.find_model("broken2000-a")
    with pytest.raises(
        UnknownNameError,
        match=r"no model called 'one2001-c'; did you mean 'one2001-[ab]'.*broken2000/model.toml$",
    ):
        cards.find_model("one2001-c")


def test_a_changed_card_is_read_again_and_no_other(two):
    two.write("two2002", title="Another title")

    assert two.titles() == ["A title"] * 2 + ["Another title"] * 2
    assert two.read == ["one2001", "two2002", "two2002"]
    assert two.reread() == []


def test_a_change_that_keeps_the_size_is_seen(two):
    file = two.write("two2002", title="B title")
    assert two.titles()[2:] == ["B title"] * 2

    file.write_text(file.read_text().replace("B title", "C title"))

    assert two.titles()[2:] == ["C title"] * 2


def test_a_change_right_after_another_is_seen_though_time_and_size_are_the_same(checkout):
    file = checkout.write("one2001", title="B title")
    now = time.time_ns()
    os.utime(file, ns=(now, now))
    assert checkout.titles() == ["B title"] * 2

    file.write_text(file.read_text().replace("B title", "C title"))
    os.utime(file, ns=(now, now))

    assert checkout.titles() == ["C title"] * 2


def test_a_card_that_another_file_replaces_is_read_again(two):
    file = two.root / "two2002" / "model.toml"
    status = file.stat()
    other = file.with_name("other")
    other.write_text(file.read_text().replace("A title", "B title"))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(file)

    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert two.titles()[2:] == ["B title"] * 2


def test_a_new_card_is_found_in_its_place(two):
    two.write("three2003")

    assert two.reread() == ["three2003"]
    assert list_models()[2:4] == ["three2003-a", "three2003-b"]
    assert [entry["package"] for entry in list_entries()][2:4] == ["three2003"] * 2


def test_a_removed_card_is_gone_from_the_list_and_the_index(two):
    (two.root / "one2001" / "model.toml").unlink()

    assert list_models() == ["two2002-a", "two2002-b"]
    assert b"one2001" not in two.file.read_bytes()


def test_files_and_folders_without_a_card_are_no_packages(two):
    (two.root / "Template.md").touch()
    (two.root / "drafts").mkdir()
    (two.root / "broken").symlink_to("nowhere")

    assert len(list_entries()) == 4


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"{}", b"[]\n{}", b"\xff\xfe\n\0", b"null\nnull", b'{"cards": {"one2001": []}}\n'],
)
def test_a_broken_or_foreign_index_is_ignored_and_replaced(two, content):
    whole = two.file.read_bytes()
    two.file.write_bytes(content)

    assert two.reread() == ["one2001", "two2002"]
    assert two.file.read_bytes() == whole
    assert two.reread() == []


def test_an_index_whose_end_or_middle_was_lost_is_ignored(two):
    whole = two.file.read_bytes()
    for damaged in (whole[:-1], whole[: len(whole) // 2], whole.replace(b"A title", b"B title", 1)):
        two.file.write_bytes(damaged)

        assert two.titles() == ["A title"] * 4
        assert two.file.read_bytes() == whole


def test_an_index_of_another_version_or_folder_is_ignored(two, monkeypatch):
    head, _, body = two.file.read_bytes().partition(b"\n")
    told = json.loads(head)
    for place, other in ((0, index.FORMAT + 1), (1, "0.0.1"), (2, "/elsewhere")):
        changed = [*told[:place], other, *told[place + 1 :]]
        two.file.write_bytes(json.dumps(changed).encode() + b"\n" + body)

        assert two.reread() == ["one2001", "two2002"]


def test_a_model_is_found_by_reading_its_card_alone(two):
    two.read.clear()

    found, model = find_model("two2002-b")

    assert (found.package, model.class_name) == ("two2002", "B")
    assert two.read == ["two2002"]


def test_a_name_that_no_card_has_is_told_with_the_nearest(two):
    two.read.clear()

    with pytest.raises(UnknownNameError, match="did you mean 'two2002-b' or 'two2002-a'"):
        find_model("two2002-c")
    assert two.read == []


def test_a_wrong_card_is_told_each_time_and_the_others_are_kept(two):
    two.write("wrong2003", CARD.replace("license", "licence"))

    for _ in range(2):
        two.read.clear()
        with pytest.raises(CardError, match=r"^wrong2003/model.toml: license: is missing; add"):
            list_entries()
        assert two.read == ["wrong2003"]
    assert find_model("one2001-a")[0].package == "one2001"


def test_a_card_that_became_wrong_is_told_also_where_its_model_is_looked_for(two):
    two.write("one2001", CARD.replace("license", "licence"))

    with pytest.raises(CardError, match=r"^one2001/model.toml: license: is missing; add"):
        find_model("one2001-a")


def test_a_cache_that_cannot_be_written_is_done_without(checkout, monkeypatch):
    checkout.write("one2001")
    (checkout.folder / "file").touch()
    monkeypatch.setenv("REPRO_CACHE", str(checkout.folder / "file" / "below"))

    assert checkout.reread() == ["one2001"]
    assert checkout.reread() == ["one2001"]


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_cache_is_done_without(checkout):
    checkout.write("one2001")
    checkout.cache.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)

    assert checkout.reread() == ["one2001"]


def test_a_full_disk_is_no_error(checkout, monkeypatch):
    checkout.write("one2001")
    monkeypatch.setattr(os, "fchmod", _no_space)

    assert len(list_entries()) == 2
    assert list(checkout.cache.iterdir()) == []


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_where_there_is_no_home_there_is_no_index(checkout, monkeypatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    checkout.write("one2001")
    monkeypatch.delenv("REPRO_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)

    assert checkout.reread() == ["one2001"]
    assert checkout.reread() == ["one2001"]


def test_the_cache_is_where_the_environment_says(monkeypatch):
    monkeypatch.delenv("REPRO_CACHE", raising=False)
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert places.cache_folder() == Path("/home/ann/.cache/repro")

    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/ann")
    assert places.cache_folder() == Path("/var/cache/ann/repro")

    monkeypatch.setenv("REPRO_CACHE", "/fast/repro")
    assert places.cache_folder() == Path("/fast/repro")


LISTING = """
import sys
from pathlib import Path
from repro.catalog import places
from repro.catalog.listing import list_entries
places._share = lambda: Path(sys.argv[1])
"""


def test_processes_at_once_do_each_other_no_harm(checkout):
    for number in range(100):
        checkout.write(f"smith{number}")
    code = LISTING + "for _ in range(20): assert len(list_entries()) == 200"
    several = [
        subprocess.Popen([sys.executable, "-c", code, str(checkout.folder)]) for _ in range(4)
    ]
    while any(one.poll() is None for one in several):
        checkout.write("smith7", title=f"Title {time.monotonic()}")
        time.sleep(0.01)

    assert [one.wait() for one in several] == [0, 0, 0, 0]
    assert len(list_models()) == 200
    assert checkout.reread() == []
    assert {file.suffix for file in checkout.cache.iterdir()} == {".json"}


def test_a_list_of_a_thousand_cards_loads_what_reads_cards_only_where_one_changed(checkout):
    for number in range(1000):
        checkout.write(f"smith{number}")
    code = LISTING + "print(len(list_entries()), *sys.modules)"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, str(checkout.folder)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    reading = {"tomllib" if sys.version_info >= (3, 11) else "tomli", "decimal", "dataclasses"}

    assert [run[0] for run in runs] == ["2000", "2000"]
    assert reading <= set(runs[0])
    assert not {*reading, "repro.catalog.card", "tempfile", "hashlib"} & set(runs[1])
