"""Imports go down only: DESIGN.md, section 1, held over the syntax tree of every module.

Imports inside functions count, and so do those under ``if TYPE_CHECKING:``, and names that are
given to ``import_module``. What is not counted is `repro/__init__` itself: its names are for users,
and found when
they are asked for.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

LEVELS = (
    {"errors"},
    {"common"},
    {"catalog"},
    {"data", "engine"},
    {"models"},
    {"operations", "testing"},
    {"commands"},
)
LEVEL = {unit: level for level, units in enumerate(LEVELS) for unit in units}

# The ancestor's import paths, kept for the tutorial: they belong to `models`, wherever they lie.
FACADES = {"repro.common.docker": "models", "repro.commands.subcommand": "models"}
ROOTS = {"repro", "repro.__main__"}  # they may import everything of ours
ABOUT = {"__version__", "__path__"}  # what every module may ask `repro` itself for

# Libraries that stop at one unit.
KEPT = {
    "docker": {"engine"},
    "requests": {"engine"},
    "click": {"commands", "__main__"},
    "rich": {"commands"},
    "pydantic": {"models"},
    "scipy": {"catalog"},
    "sklearn": {"catalog"},
}

# The runtime speaks Python 2.7 as well.
STANDARD_LIBRARY = sys.stdlib_module_names | {"__builtin__", "Queue", "StringIO", "imp"}


def unit_of(module: str) -> str:
    """Name what has a level: a folder or file under `repro`, or what a façade stands for."""
    for facade, unit in FACADES.items():
        if module == facade or module.startswith(f"{facade}."):
            return unit
    return [*module.split("."), ""][1]


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name): no name where the module itself is imported; dots where relative."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Call) and (start := _imported_by(node)):
            yield start, ""


def asked_of_root(tree: ast.AST) -> Iterator[str]:
    """Yield what is asked of `repro` itself: it would find a name wherever it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _name(node.value) == "repro":
            yield node.attr


def problems(module: str, source: str) -> list[str]:
    """Say what a module imports that it may not."""
    tree = ast.parse(source)
    found = [p for target, name in imported(tree) if (p := _problem(module, target, name))]
    if module not in ROOTS:
        found += [f"repro.{name}" for name in asked_of_root(tree) if name not in ABOUT]
    return [f"{module} imports {one}" for one in found]


def _problem(module: str, target: str, name: str) -> str:
    if target.startswith("."):
        return f"{target}, which is relative"
    top = target.partition(".")[0]
    if top != "repro":
        return target if unit_of(module) not in KEPT.get(top, {unit_of(module)}) else ""
    full = f"{target}.{name}" if name and is_module(f"{target}.{name}") else target
    if module in ROOTS or full == "repro":
        return "" if module in ROOTS or not name or name in ABOUT else f"repro.{name}"
    if full in ROOTS:
        return full
    source, wanted = unit_of(module), unit_of(full)
    if source not in LEVEL or wanted not in LEVEL:
        return f"{full}, and one of them has no level"
    return "" if source == wanted or LEVEL[wanted] < LEVEL[source] else full


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _imported_by(call: ast.Call) -> str:
    """Tell what a call of `import_module` imports, as far as it can be read."""
    if _name(call.func) not in {"import_module", "__import__"} or not call.args:
        return ""
    return _text(call.args[0])


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _text(node: ast.expr) -> str:
    """Read a string, or what an f-string begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rstrip(".")
    return ""


def _modules() -> list[tuple[str, Path]]:
    files = [p for p in sorted((ROOT / "repro").rglob("*.py")) if "runtime" not in p.parts]
    found = []
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), file))
    return found


MODULES = _modules()
PROGRAMS = sorted((ROOT / "models").glob("*/src/**/*.py"))


@pytest.mark.parametrize(("module", "file"), MODULES, ids=[module for module, _ in MODULES])
def test_a_module_imports_from_below_only(module: str, file: Path) -> None:
    source = file.read_text(encoding="utf-8")

    assert problems(module, source) == []


def test_every_module_and_every_unit_of_the_library_is_looked_at() -> None:
    looked_at = {unit_of(module) for module, _ in MODULES} - {"", "__main__"}

    assert len(MODULES) > 40
    assert {"repro", "repro.__main__", *FACADES} <= {module for module, _ in MODULES}
    assert looked_at <= set(LEVEL)
    assert looked_at >= {
        "errors",
        "common",
        "catalog",
        "engine",
        "models",
        "operations",
        "commands",
    }


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("repro.errors", "import repro.common.io"),
        ("repro.errors", "from repro.common import io"),
        ("repro.errors", "from repro import common"),
        ("repro.errors", "from repro import load"),
        ("repro.errors", "import repro\nrepro.load('x')"),
        ("repro.common.io", "def f():\n    from repro.catalog import find_model"),
        ("repro.common.io", "from repro.common.docker import run_command"),
        (
            "repro.common.io",
            "if True:\n    try:\n        import repro.models.model\n    except Exception: ...",
        ),
        ("repro.catalog.card", "if TYPE_CHECKING:\n    from repro.models import Model"),
        (
            "repro.catalog.card",
            "from importlib import import_module\nimport_module('repro.engine.image')",
        ),
        ("repro.catalog.card", "import importlib\nimportlib.import_module(f'repro.models.{x}')"),
        ("repro.engine.client", "from repro.data import readers"),
        ("repro.data.readers", "from repro.engine.client import connect"),
        ("repro.models.docker_model", "from repro.operations import setup"),
        ("repro.models.docker_model", "from repro.commands.output import say"),
        ("repro.commands.subcommand", "from repro.commands.cli import cli"),
        ("repro.common.docker", "from repro.operations.setup import setup"),
        ("repro.operations.setup", "import repro.testing"),
        ("repro.operations.setup", "from repro.commands import cli"),
        ("repro.testing", "from repro.operations.setup import setup"),
        ("repro.commands.cli", "from repro.__main__ import main"),
        ("repro.commands.cli", "from repro import __main__"),
        ("repro.newcomer", "from repro.errors import ReproError"),
        ("repro.engine.client", "from . import image"),
        ("repro.engine.client", "from .image import find"),
        ("repro.engine.client", "import click"),
        ("repro.operations.setup", "def f():\n    from docker.errors import APIError"),
        ("repro.models.file_mode", "import requests.exceptions"),
        ("repro.commands.list", "import docker"),
        ("repro.__main__", "import docker"),
        ("repro.operations.setup", "from rich.console import Console"),
        ("repro.engine.client", "import pydantic"),
    ],
)
def test_a_planted_import_that_goes_up_is_found(module: str, source: str) -> None:
    found = problems(module, source)

    assert len(found) == 1
    assert found[0].startswith(f"{module} imports ")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("repro.common.io", "from repro.errors import DataFileError"),
        ("repro.common.io", "from repro.common import sizes"),
        ("repro.catalog.places", "import repro\nrepro.__path__"),
        ("repro.engine.base", "from repro import __version__"),
        ("repro.engine.client", "import docker, requests"),
        ("repro.common.docker", "from repro.commands.subcommand import SetupSubcommand"),
        ("repro.common.docker", "from repro.engine.client import connect"),
        (
            "repro.commands.subcommand",
            "from importlib import import_module\nimport_module(f'repro.models.{x}')",
        ),
        (
            "repro.models.tutorial.setup",
            "from repro.common.docker import BuildDockerImageSubcommand",
        ),
        ("repro.commands.list", "from repro.catalog.listing import list_entries\nimport click"),
        ("repro.__main__", "from repro.commands.cli import cli\nimport click"),
        ("repro", "from repro.models import load"),
    ],
)
def test_an_import_that_goes_down_is_left_alone(module: str, source: str) -> None:
    assert problems(module, source) == []


def test_the_runtime_imports_the_standard_library_alone() -> None:
    folder = ROOT / "repro" / "runtime"
    files = sorted(folder.rglob("*.py"))

    assert [file.name for file in files] == ["repro_runtime.py"]
    for module, _ in imported(ast.parse(files[0].read_bytes())):
        assert module.partition(".")[0] in STANDARD_LIBRARY, f"the runtime imports {module}"


@pytest.mark.parametrize("file", PROGRAMS, ids=[str(p.relative_to(ROOT)) for p in PROGRAMS])
def test_a_program_imports_nothing_of_ours_but_the_runtime(file: Path) -> None:
    modules = {module for module, _ in imported(ast.parse(file.read_bytes()))}
    others = {path.parent.parent.name for path in (ROOT / "models").glob("*/src")}

    assert not [m for m in modules if m.startswith(".")], "programs are run as files, not packages"
    assert not {m.partition(".")[0] for m in modules} & ({"repro"} | others)


def test_every_package_with_programs_is_looked_at() -> None:
    folders = {file.relative_to(ROOT).parts[1] for file in PROGRAMS}

    assert folders == {path.parent.parent.name for path in (ROOT / "models").glob("*/src/run.py")}
