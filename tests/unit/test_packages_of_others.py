"""Packages of other distributions: found by entry points, and nobody's harm but their own."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from repro.catalog import entry_points, find_model, find_package, list_models, list_packages
from repro.catalog.cards import read_cards
from repro.catalog.listing import list_entries
from repro.catalog.packages import collections
from repro.errors import CardError, UnknownNameError
from repro.models import load
from repro.models.lookup import model_class
from repro.operations.description import as_text, describe

CARD = """
version = "1.0"
title   = "A title"
summary = "A summary"
upstream = "a program 1.0"
license = "MIT"

[models.{model}]
class = "Ner"
task  = "text-transformation"
"""
CLASS = """
from repro.models import DockerModel, Model

@Model.register("{model}")
class Ner(DockerModel):
    def predict(self, text: str) -> str:
        return self.answer(text=text)
"""


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def install(self, distribution: str, module: str, lines: str = "") -> Path:
        """Install a distribution that declares a module, long ago; return where the module is."""
        about = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\n")
        text = lines or f"[console_scripts]\nx = y:z\n\n[repro.models]\n{module} = {module}\n"
        (about / "entry_points.txt").write_text(text)
        self.settle()
        return self.folder.joinpath(*module.split("."))

    def uninstall(self, distribution: str) -> None:
        shutil.rmtree(self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info")

    def settle(self) -> None:
        """Let the folder have changed long ago, so that what it has is kept."""
        long_ago = time.time_ns() - 10**10
        os.utime(self.folder, ns=(long_ago, long_ago))


def write_package(folder: Path, model: str, code: str = CLASS, card: str = CARD) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(code.replace("{model}", model))
    (folder / "model.toml").write_text(card.replace("{model}", model))


def models_of_others() -> list[object]:
    return [entry["model"] for entry in list_entries() if entry["model"] not in OURS]


OURS = list_models()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(made.folder)
    return made


@pytest.fixture
def told() -> list[CardError]:
    return []


@pytest.fixture(autouse=True)
def _not_imported() -> object:
    yield
    for name in [name for name in sys.modules if name.partition(".")[0].endswith("9999")]:
        del sys.modules[name]


def test_a_package_is_listed_and_read_without_being_imported(site):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-ner", "raise SystemExit")

    assert models_of_others() == ["kane9999-ner"]
    assert list_packages().count("kane9999") == 1
    assert "kane9999-ner" in list_models()
    card, model = find_model("kane9999-ner")
    assert (card.folder, card.module) == (site.folder / "kane9999", "kane9999")
    assert find_package("kane9999") == card
    assert model.class_name == "Ner"
    assert "kane9999" not in sys.modules


def test_its_class_is_imported_when_it_is_used(site):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-one")

    assert type(load("kane9999-one")).__module__ == "kane9999"
    assert "class    from kane9999 import Ner" in as_text(describe("kane9999"))


def test_a_distribution_may_have_several_packages(site):
    folder = site.install("zoo", "zoo9999.models")
    write_package(folder / "kane9999", "kane9999-two")
    write_package(folder / "lee9999", "lee9999")
    (folder / "__init__.py").touch()
    (folder.parent / "__init__.py").touch()

    assert models_of_others() == ["kane9999-two", "lee9999"]
    assert model_class("kane9999-two").__module__ == "zoo9999.models.kane9999"


def test_an_editable_install_is_found_where_its_files_are(site, tmp_path, monkeypatch):
    site.install("repro-kane9999", "kane9999")
    write_package(tmp_path / "checkout" / "kane9999", "kane9999-ner")
    monkeypatch.syspath_prepend(tmp_path / "checkout")

    assert find_package("kane9999").folder == tmp_path / "checkout" / "kane9999"


def test_a_package_that_was_uninstalled_is_gone(site):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-ner")
    assert models_of_others() == ["kane9999-ner"]

    site.uninstall("repro-kane9999")

    assert models_of_others() == []
    with pytest.raises(UnknownNameError, match="no package called 'kane9999'"):
        find_package("kane9999")
    with pytest.raises(UnknownNameError, match="no model called 'kane9999-ner'"):
        find_model("kane9999-ner")


def test_a_folder_that_cannot_be_listed_is_told_and_others_are_there(
    site, told, tmp_path, monkeypatch
):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-ner")
    (tmp_path / "models").touch()
    monkeypatch.setattr("repro.catalog.packages.models_root", lambda: tmp_path / "models")

    found = [name for _, cards in collections(told.append) for name in cards]

    assert "kane9999" in found
    assert [str(error) for error in told] == [f"{tmp_path}/models: the folder: Not a directory"]


def test_a_package_of_the_name_of_one_of_ours_is_told_and_left_out(site, told):
    write_package(site.install("evil", "hutto2014"), "hutto2014-other")

    models = [entry["model"] for entry in list_entries(on_error=told.append)]

    assert models == [entry["model"] for entry in list_entries(on_error=lambda _: None)]
    assert set(models) == set(OURS)
    assert [error.file for error in told] == ["hutto2014/model.toml"]
    assert f"that in {site.folder} is left out, as there is one in " in str(told[0])
    with pytest.raises(UnknownNameError, match="no model called 'kane9999'"):
        find_model("kane9999")
    assert find_package("hutto2014").module == "repro.models.hutto2014"
    assert list_packages().count("hutto2014") == 1


def test_a_model_of_the_name_of_one_of_ours_is_told_and_its_package_left_out(site, told):
    write_package(site.install("repro-kane9999", "kane9999"), "hutto2014-vader")

    assert {entry["model"] for entry in list_entries(on_error=told.append)} == set(OURS)
    assert str(told[0]) == (
        "kane9999/model.toml: models.hutto2014-vader: the package hutto2014 has a model of that "
        "name; this package is left out; rename it"
    )
    assert len(told) == 1
    assert find_model("hutto2014-vader")[0].module == "repro.models.hutto2014"
    with pytest.raises(CardError, match="the package hutto2014 has a model of that name"):
        find_package("kane9999")
    assert "kane9999" not in [card.package for card in read_cards(told.append)]


def test_of_two_packages_of_one_name_the_first_distribution_counts(site, told):
    for zoo in ("aaa9999", "bbb9999"):
        write_package(site.install(zoo, zoo) / "kane9999", f"kane9999-{zoo[:3]}")

    models = [entry["model"] for entry in list_entries(on_error=told.append)]

    assert "kane9999-aaa" in models
    assert "kane9999-bbb" not in models
    assert len(told) == 1
    assert f"that in {site.folder}/bbb9999 is left out, as there is one in " in str(told[0])


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (
            lambda folder: None,
            r"^repro-kane9999: the entry point 'kane9999': there is no model.toml in its",
        ),
        (
            lambda folder: folder.mkdir(),
            r"^repro-kane9999: .*; repro-kane9999 has to be packed with it, or uninstalled$",
        ),
        (
            lambda folder: write_package(folder, "x", card="title = 1"),
            r"^kane9999/model.toml: models: is empty",
        ),
    ],
    ids=["nothing there", "card forgotten", "card broken"],
)
def test_one_that_is_broken_is_told_and_does_no_harm(site, told, prepare, says):
    prepare(site.install("repro-kane9999", "kane9999"))

    assert {entry["model"] for entry in list_entries(on_error=told.append)} == set(OURS)
    assert find_model("hutto2014-vader")[0].package == "hutto2014"
    assert find_package("hutto2014").package == "hutto2014"
    with pytest.raises(CardError, match=says):
        raise told[0]
    with pytest.raises(CardError, match=says):
        list_entries()
    assert len(told) == 1


def test_a_folder_whose_name_no_image_could_have_is_told(site, told):
    write_package(site.install("repro-kane9999", "Kane9999"), "kane9999-ner")

    assert {entry["model"] for entry in list_entries(on_error=told.append)} == set(OURS)
    assert str(told[0]).startswith(
        "Kane9999/model.toml: the folder: 'Kane9999' cannot be a package"
    )


@pytest.mark.parametrize(
    "lines",
    [
        "[repro.models]\nno equals sign\n",
        "[repro.models]\nx = ../../etc\n",
        "[repro.models]\nx =\n",
        "[repro.models]\nx = repro.models\n",
        "\xff\xfe",
    ],
)
def test_metadata_that_nobody_understands_do_no_harm(site, lines):
    site.install("strange", "strange9999", lines)

    models = {entry["model"] for entry in list_entries(on_error=lambda _: None)}

    assert models == set(OURS)


def test_a_module_that_cannot_be_imported_is_told_with_what_shows_why(site):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-ner", "import nothing9999")

    says = (
        r"^kane9999: the module kane9999: cannot be imported: ModuleNotFoundError: "
        r"No module named 'nothing9999'; `python -c 'import kane9999'` shows where$"
    )
    with pytest.raises(CardError, match=says):
        load("kane9999-ner")
    assert load("hutto2014-vader").name == "hutto2014-vader"


def test_a_module_that_ends_the_program_when_it_is_imported_is_told(site):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-ner", "raise SystemExit(3)")

    with pytest.raises(CardError, match="cannot be imported: SystemExit: 3"):
        load("kane9999-ner")


def test_metadata_are_read_again_only_when_something_was_installed(site, monkeypatch):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-ner")
    site.settle()
    assert models_of_others() == ["kane9999-ner"]
    asked = []
    monkeypatch.setattr(
        entry_points,
        "_read",
        lambda folder, read=entry_points._read: asked.append(folder) or read(folder),
    )

    assert models_of_others() == ["kane9999-ner"]
    assert asked == []
    write_package(site.install("repro-lee9999", "lee9999"), "lee9999")
    os.utime(site.folder)
    assert models_of_others() == ["kane9999-ner", "lee9999"]
    assert asked == [str(site.folder)]


@pytest.mark.parametrize(
    "content", ["", "[]", "null", '{"format": 1}', '{"format": 1, "folders": {"a": 3}}']
)
def test_a_broken_cache_is_ignored_and_replaced(site, content):
    write_package(site.install("repro-kane9999", "kane9999"), "kane9999-ner")
    site.settle()
    assert models_of_others() == ["kane9999-ner"]
    file = Path(os.environ["REPRO_CACHE"], "entry-points.json")
    whole = json.loads(file.read_bytes())

    file.write_text(content)

    assert models_of_others() == ["kane9999-ner"]
    assert json.loads(file.read_bytes()) == whole
