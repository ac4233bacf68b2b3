"""What is loaded when: `import repro` and the short commands load nothing heavy."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import repro
from repro.catalog import read_cards
from repro.commands.cli import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAVY = {
    "asyncio",
    "docker",
    "numpy",
    "pydantic",
    "requests",
    "rich",
    "scipy",
    "sklearn",
    "urllib3",
}
PACKAGES = {f"repro.models.{card.package}" for card in read_cards()}

COMMAND = """
import json, sys
from repro.__main__ import main
try:
    main(json.loads(sys.argv[1]))
finally:
    print(json.dumps([*sys.modules]), file=sys.stderr)
"""


def modules_after(code: str, *arguments: str) -> set[str]:
    """Run code that prints the loaded modules last, to standard error; return them."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def modules_after_command(*arguments: str) -> set[str]:
    return modules_after(COMMAND, json.dumps(arguments))


def test_importing_repro_loads_no_other_module_of_ours_and_nothing_heavy() -> None:
    loaded = modules_after(
        "import json, sys, repro; print(json.dumps([*sys.modules]), file=sys.stderr)"
    )

    assert {name for name in loaded if name.partition(".")[0] == "repro"} == {"repro"}
    assert not loaded & {*HEAVY, "click"}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["list"], ["list", "sentiment"], ["list", "--json"]],
    ids=" ".join,
)
def test_a_short_command_loads_nothing_heavy_and_no_package(arguments: Sequence[str]) -> None:
    loaded = modules_after_command(*arguments)

    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith("repro.models")}
    assert not {name for name in loaded if name.startswith("repro.engine")}


def test_the_help_of_a_command_loads_nothing_heavy() -> None:
    """In one process: what a command loads stays loaded, and is told by what comes after it."""
    code = (
        "import json, sys\n"
        "from repro.commands.cli import NAMES, cli\n"
        "loaded = {}\n"
        "for name in NAMES:\n"
        "    cli.main([name, '--help'], standalone_mode=False)\n"
        "    loaded[name] = [*sys.modules]\n"
        "print(json.dumps(loaded), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stderr.splitlines()[-1])

    assert {name for name, modules in loaded.items() if HEAVY & set(modules)} == set()
    assert set(loaded) == set(NAMES)


def test_info_imports_the_package_it_describes_and_no_other() -> None:
    loaded = modules_after_command("info", "hutto2014-vader")

    assert loaded & PACKAGES == {"repro.models.hutto2014"}
    assert len(PACKAGES) > 1
    assert not loaded & {"docker", "requests"}


def test_loading_a_model_imports_its_package_and_no_engine() -> None:
    code = (
        "import json, sys, repro; repro.load('tutorial-model')\n"
        "print(json.dumps([*sys.modules]), file=sys.stderr)"
    )
    loaded = modules_after(code)

    assert loaded & PACKAGES == {"repro.models.tutorial"}
    assert not loaded & {"docker", "requests", "pydantic"}


def test_repro_promises_at_most_twelve_names_and_has_each_of_them() -> None:
    found = {name: getattr(repro, name) for name in repro.__all__}

    assert len(repro.__all__) == len(set(repro.__all__)) <= 12
    assert all(value is not None for value in found.values())
    assert {"Model", "DockerModel", "load", "list_models", "ReproError", "__version__"} <= set(
        found
    )


def test_what_repro_promises_is_what_is_there() -> None:
    tree = ast.parse(Path(repro.__file__).read_text(encoding="utf-8"))
    typed = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for inner in node.body
        if isinstance(inner, ast.ImportFrom)
        for alias in inner.names
    }
    submodules = {name for name in dir(repro) if type(getattr(repro, name)).__name__ == "module"}
    private = {name for name in dir(repro) if name.startswith("_")}
    needed = {"annotations", "TYPE_CHECKING"}

    assert set(repro.__all__) == {*repro._HOME, "__version__"}
    assert set(repro.__all__) == {*typed, "__version__"}
    assert set(dir(repro)) - submodules - private - needed - {"import_module"} == set(repro._HOME)


def test_a_star_import_gives_what_is_promised() -> None:
    found: dict[str, object] = {}
    exec("from repro import *", found)

    assert set(found) - {"__builtins__"} == set(repro.__all__)


def test_a_name_that_is_not_promised_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'repro' has no attribute 'Modell'$"):
        repro.Modell  # noqa: B018


def test_a_name_is_the_same_thing_as_at_its_home() -> None:
    from repro.catalog import list_models
    from repro.errors import ReproError
    from repro.models import DockerModel, Model, load

    assert (repro.Model, repro.DockerModel, repro.load) == (Model, DockerModel, load)
    assert (repro.ReproError, repro.list_models) == (ReproError, list_models)
