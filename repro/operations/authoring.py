"""Write a new package, whole or not at all: into the checkout, or as a project of its own.

Plain templates do: of what copier and cookiecutter offer beside filling them in, questions are
click's, later updates of a package are its author's, and each would be one more thing to install.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from repro.catalog import list_models, list_packages
from repro.catalog.card import read_card
from repro.catalog.packages import OURS
from repro.catalog.places import checkout, model_code
from repro.common.io import translated
from repro.errors import ConfigurationError
from repro.models.lookup import packages_without_card
from repro.operations.package_files import class_files, package_files, project_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repro.operations.draft import Draft
    from repro.operations.package_files import Files


def write_package(draft: Draft) -> list[Path]:
    """Write a package into the checkout that `repro` runs from.

    Returns
    -------
    list of Path
        Its two folders: that of its classes, and that of its card and programs.

    Raises
    ------
    ConfigurationError
        If there is no checkout, a part of such a package is there already, or a name is in use.
    """
    check_free(draft)
    code, package = _folders(draft.package)
    with _temporary(package.parent) as folder:
        _write(folder / "classes", class_files(draft, f"{OURS}.{draft.package}"))
        _write(folder / draft.package, package_files(draft, f"{OURS}.{draft.package}"))
        read_card(folder / draft.package / "model.toml")
        # The classes come first: a card whose classes are missing would be listed.
        _appear([(folder / "classes", code), (folder / draft.package, package)])
    return [code, package]


def write_project(draft: Draft, folder: Path) -> Path:
    """Write a package as a project of its own, which can be installed beside `repro`.

    Parameters
    ----------
    draft : Draft
        The package.
    folder : Path
        The project's, which must not be there, or be empty.

    Raises
    ------
    ConfigurationError
        If something is in the folder, or a name is in use.
    """
    check_free(draft, folder)
    folder = folder.absolute()
    inside = folder.exists()  # somebody may be in it, so it has to stay the same folder
    with translated(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(folder if inside else folder.parent) as temporary:
        project = temporary / "project"
        package = {**class_files(draft, draft.package), **package_files(draft, draft.package)}
        _write(project, project_files(draft))
        _write(project / draft.package, package)
        read_card(project / draft.package / "model.toml")
        parts = [(part, folder / part.name) for part in sorted(project.iterdir())]
        _appear(parts if inside else [(project, folder)])
    return folder


def check_free(draft: Draft, folder: Path | None = None) -> None:
    """Refuse a package of which anything is there, and names that are in use.

    Parameters
    ----------
    draft : Draft
        The package.
    folder : Path, optional
        That of a project of its own; without one, the package is for the checkout.

    Raises
    ------
    ConfigurationError
        With what is there already, or if there is no checkout.
    """
    for place in (folder,) if folder else _folders(draft.package):
        with translated(place):
            there = place.is_symlink() or place.exists()
        if there and (place.is_symlink() or not (folder and _is_empty(place))):
            problem = f"{place} is there already, and nothing is written over"
            raise ConfigurationError(f"{problem}; remove it, or choose another name")
    if draft.package in {*list_packages(), *packages_without_card()}:
        raise ConfigurationError(f"there is a package {draft.package!r} already")
    if draft.model in list_models(on_error=lambda _: None):
        raise ConfigurationError(f"there is a model {draft.model!r} already")
    if folder and find_spec(draft.package) is not None:
        problem = f"a Python module called {draft.package!r} is installed already"
        raise ConfigurationError(f"{problem}; uninstall it, or choose another name")


def _folders(package: str) -> tuple[Path, Path]:
    """Name the folders of a package's classes, and of its card and programs."""
    root = checkout()
    if root is None:
        problem = "repro is installed without a checkout that a package could be written into"
        raise ConfigurationError(f"{problem}; `--standalone DIR` writes a project of its own")
    return model_code(package), root / "models" / package


def _is_empty(folder: Path) -> bool:
    with translated(folder):
        return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _temporary(parent: Path) -> Iterator[Path]:
    """Make a folder on the disk where something is to appear; no card lies directly in it."""
    with translated(parent):
        folder = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _appear(moves: Sequence[tuple[Path, Path]]) -> None:
    """Move all of some folders to where they belong, or none."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            with translated(target):
                source.rename(target)  # which fails if something is there
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            target.rename(source)
        raise
