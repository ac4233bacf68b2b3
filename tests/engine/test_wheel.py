"""What a wheel brings: all that images are built from, so that it works outside of a checkout."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.catalog import read_cards
from repro.common.config import read_config
from repro.engine.recipe import recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from repro.engine.client import Engine
    from tests.engine.conftest import Installed

DIGESTS = """
import json, repro
from repro.catalog import read_cards
from repro.engine.recipe import recipe_of
found = {
    card.package: [recipe_of(card, image, namespace="x").digest() for image in card.images]
    for card in read_cards()
}
print(json.dumps({"digests": found, "file": repro.__file__, "root": repro.MODELS_ROOT}))
"""

pytestmark = pytest.mark.timeout(240)  # the first test waits for pip


@pytest.fixture(scope="module")
def installed(environment: Callable[[], Installed]) -> Installed:
    """Install the wheel into an environment of its own."""
    return environment()


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    """List what is in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_has_what_a_package_needs(names: list[str]) -> None:
    assert "repro/py.typed" in names
    assert "repro/runtime/repro_runtime.py" in names
    assert "repro/share/Dockerfile.base" in names
    assert {"repro/templates/run.py.txt", "repro/templates/examples/example.png"} <= set(names)
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    for card in read_cards():
        for file in ("model.toml", "Dockerfile", "examples.jsonl", "src/run.py"):
            assert f"repro/share/models/{card.package}/{file}" in names
        assert f"repro/models/{card.package}/model.py" in names


def test_the_wheel_has_nothing_else(names: list[str]) -> None:
    parts = {part for name in names for part in Path(name).parts}

    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"repro"}
    assert not parts & {"tests", "scripts", "__pycache__", ".git", ".venv", ".env"}
    assert not [name for name in names if name.endswith((".pyc", ".orig", "~"))]
    assert len(names) == len(set(names))


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entry = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = archive.read(entry).decode()

    assert wheel.name.endswith("-py3-none-any.whl")
    assert "\nName: repro-models\n" in about
    assert "\nLicense-Expression: Apache-2.0\n" in about
    assert "\nRequires-Python: >=3.10\n" in about
    assert "\nProvides-Extra: reproduce\n" in about


def test_it_declares_our_packages_as_those_of_others_are(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        declared = archive.read(entry).decode()

    assert "[repro.models]\nrepro-models = repro.models\n" in f"{declared}\n"


def test_it_lists_the_models_outside_a_checkout(installed: Installed) -> None:
    listed = json.loads(installed.repro("list", "--json").stdout)
    expected = {name for card in read_cards() for name in card.models}

    assert {entry["model"] for entry in listed} == expected


def test_its_images_are_built_from_what_those_of_a_checkout_are(installed: Installed) -> None:
    done = installed.run("python", "-c", DIGESTS)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    assert "site-packages" in found["file"]
    assert found["root"].endswith("repro/share/models")
    assert found["digests"] == {
        card.package: [recipe_of(card, image, namespace="x").digest() for image in card.images]
        for card in read_cards()
    }


def test_it_sets_up_a_package_and_predicts(installed: Installed, engine: Engine) -> None:
    image = f"{read_config().namespace}/hutto2014:1.0"
    (done,) = json.loads(installed.repro("setup", "hutto2014", "--json").stdout)
    (again,) = json.loads(installed.repro("setup", "hutto2014", "--json").stdout)
    text = "text=VADER is smart, handsome, and funny!"
    said = installed.repro("predict", "--model", "hutto2014-vader", "-i", text).stdout

    assert (done["image"], again["image"]) == (image, image)
    assert done["action"] in {"present", "built", "rebuilt"}
    assert again["action"] == "present"
    # README of vaderSentiment, Code Examples.
    assert json.loads(said) == {"neg": 0.0, "neu": 0.248, "pos": 0.752, "compound": 0.8439}


def test_metrics_that_are_not_installed_are_told_with_the_command(installed: Installed) -> None:
    code = "from repro.catalog.metrics import compute; compute('pearson_r', [1, 2], [1, 2], {})"
    done = installed.run("python", "-c", code)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "repro.errors.ConfigurationError: pearson_r needs SciPy and scikit-learn; "
        "install them: pip install 'repro-models[reproduce]'"
    )
