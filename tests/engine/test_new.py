"""A new package from its first command to its test, in a checkout and as a project of its own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.common.config import read_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.engine.client import Engine
    from tests.engine.conftest import Installed

ROOT = Path(__file__).resolve().parents[2]
CLAIM = """
[[claims]]
model    = "kane2020-ner"
input    = { text = "some text" }
reported = "9"
source   = "a claim of this test"
"""

pytestmark = pytest.mark.timeout(300)  # the first one waits for pip


TEST = "test_the_examples_are_what_the_models_answer"  # of a project of its own
CONFTEST = """
import pytest
from repro.engine.client import connect

@pytest.fixture(scope="session")
def engine():
    return connect()
"""  # the tests of a package need no more of the library's


class Checkout:
    """A checkout with the tutorial as its only package, and commands that are run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", "*[12][0-9][0-9][0-9]")
        for name in ("repro", "models", "tests/models"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in ("Dockerfile.base", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        (folder / "tests" / "conftest.py").write_text(CONFTEST)

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("checkout") / "repro")


@pytest.fixture
def images(engine: Engine) -> Iterator[Callable[[str], None]]:
    """Note packages, whose images go after the test."""
    noted: list[str] = []
    yield noted.append
    for package in noted:
        engine.api.remove_image(f"{read_config().namespace}/{package}:1.0", force=True)


@pytest.mark.parametrize(
    ("package", "options"),
    [
        ("kane2020", ["--title", "A study", "--field", "text:str", "--field", "n:int"]),
        ("kane2021", ["--field", "sound:Audio", "--field", "image:Image", "--returns", "Content"]),
        (
            "kane2022",
            ["--field", "x:dict[str, float]", "--returns", "list[bool]", "--base", "bullseye"],
        ),
    ],
)
def test_a_new_package_is_set_up_and_passes_all_tests_of_a_package(
    checkout: Checkout,
    images: Callable[[str], None],
    bookworm: str,
    bullseye: str,
    package: str,
    options: list[str],
) -> None:
    told = checkout.run("repro", "new", package, "--variant", "ner", *options).splitlines()
    images(package)

    for line, says in zip(told, ("built", "passed", ""), strict=True):
        assert says in checkout.run(*shlex.split(line))
    tests = ("tests/models/test_packages.py", "-k", package)
    assert " passed, 2 skipped" in checkout.run("pytest", "-q", "-p", "no:cacheprovider", *tests)


def test_the_type_checker_passes_a_new_package_of_a_checkout(checkout: Checkout) -> None:
    checkout.run("repro", "new", "kane2030", "--field", "id:int", "--field", "image:Image")

    checkout.run("mypy", "repro/models/kane2030")


@pytest.fixture(scope="module")
def installed(environment: Callable[[], Installed]) -> Installed:
    return environment()


@pytest.fixture
def project(installed: Installed, images: Callable[[str], None]) -> Iterator[Path]:
    """Write a project with a claim; whatever of it is installed goes after the test."""
    folder = installed.folder / "project"
    written = installed.repro(
        "new", "kane2020", "--variant", "ner", "--standalone", str(folder), "--returns", "int"
    )
    with (folder / "kane2020" / "model.toml").open("a") as card:
        card.write(CLAIM)
    assert written.stdout.splitlines() == [
        "pip install -e project",
        "repro setup kane2020",
        "repro test kane2020",
    ]
    yield folder
    installed.pip("uninstall", "-y", "repro-kane2020")
    shutil.rmtree(folder)


def names(installed: Installed) -> list[str]:
    return [entry["model"] for entry in json.loads(installed.repro("list", "--json").stdout)]


@pytest.mark.parametrize("options", [[], ["-e"]], ids=["installed", "editable"])
def test_a_project_of_its_own_is_used_like_what_is_built_in(
    installed: Installed, project: Path, images: Callable[[str], None], options: list[str]
) -> None:
    built_in = names(installed)
    installed.pip("install", *options, str(project))
    at = project / "kane2020" if options else installed.site / "kane2020"
    images("kane2020")

    assert names(installed) == [*built_in, "kane2020-ner"]
    about = json.loads(installed.repro("info", "kane2020-ner", "--json").stdout)
    assert (about["module"], about["models"][0]["class"]) == ("kane2020", "Ner")
    assert "built" in installed.repro("setup", "kane2020").stdout
    assert "present" in installed.repro("setup", "kane2020").stdout
    said = installed.repro("predict", "--model", "kane2020-ner", "-i", "text=abc").stdout
    assert json.loads(said) == 3
    assert "passed" in installed.repro("test", "kane2020").stdout
    assert "1 claims: 1 reproduced" in installed.repro("reproduce", "kane2020").stdout
    code = "import repro; print(repro.load('kane2020-ner').predict('abcd'))"
    assert installed.run("python", "-c", code).stdout == "4\n"
    code = f"import runpy; runpy.run_path({str(project / 'tests/test_examples.py')!r})[{TEST!r}]()"
    assert installed.run("python", "-c", code).returncode == 0
    where = "from repro.catalog import find_package; print(find_package('kane2020').folder)"
    assert installed.run("python", "-c", where).stdout.strip() == str(at)

    installed.pip("uninstall", "-y", "repro-kane2020")
    assert names(installed) == built_in
    gone = installed.run("repro", "info", "kane2020-ner")
    assert gone.returncode == 2
    assert "there is no model or package called 'kane2020-ner'" in gone.stderr


def test_a_broken_project_and_one_of_a_name_of_ours_do_no_harm(
    installed: Installed, project: Path
) -> None:
    built_in = names(installed)
    card = project / "kane2020" / "model.toml"
    installed.pip("install", "-e", str(project))

    for before, after, says in (
        ("kane2020-ner", "hutto2014-vader", "the package hutto2014 has a model of that name"),
        ("version", "versoin", "version: is missing"),
    ):
        card.write_text(card.read_text().replace(before, after))
        listed = installed.run("repro", "list", "--json")
        assert listed.returncode == 2
        assert [entry["model"] for entry in json.loads(listed.stdout)] == built_in
        assert says in listed.stderr
        assert "VADER" in installed.repro("info", "hutto2014-vader").stdout
        assert installed.run("repro", "test", "kane2020").returncode == 2


def test_where_a_wheel_is_installed_a_project_of_its_own_is_proposed(installed: Installed) -> None:
    done = installed.run("repro", "new", "kane2020")

    assert done.returncode == 2
    assert "--standalone DIR" in done.stderr
