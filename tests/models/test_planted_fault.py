"""A planted fault, one weight of a lexicon changed, turns claims red: else they prove nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from repro.catalog import find_package
from repro.catalog.claim import Verdict
from repro.engine import image as images
from repro.engine.context import BuildContext
from repro.operations.examples import run_examples
from repro.operations.reproduction import reproduce
from repro.operations.setup import setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from repro.catalog.claim import Claim
    from repro.engine.client import Engine

IMAGE = "repro-tests/planted"

# The lexicon of each model, and its line of the word: word, mean, deviation, the ten ratings.
LEXICONS = {
    "hutto2014-vader": "/usr/local/lib/python3.*/dist-packages/vaderSentiment/vader_lexicon.txt",
    "hutto2014-vader-icwsm": "/opt/hutto2014/vader_sentiment_lexicon.txt",
}
WORD, WEIGHT, PLANTED = "good", "1.9", "1.6"

DOCKERFILE = f"""
FROM IMAGE
RUN set -eu; lexicon=$(ls LEXICON); cp "$lexicon" /tmp/before; \\
    sed -i 's/^{WORD}\\t{WEIGHT}\\t/{WORD}\\t{PLANTED}\\t/' "$lexicon"; \\
    test "$(diff /tmp/before "$lexicon" | grep -c '^>')" = 1; rm /tmp/before
"""


@pytest.fixture(scope="module", params=LEXICONS.items(), ids=list(LEXICONS))
def planted(
    request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Build an image with one weight of one lexicon changed; give the model and the image."""
    model, lexicon = request.param
    (original,) = setup(find_package("hutto2014"))
    root: Path = tmp_path_factory.mktemp("planted")
    content = DOCKERFILE.replace("IMAGE", original.image).replace("LEXICON", lexicon)
    (root / "Dockerfile").write_text(content)
    name = f"{IMAGE}:{model}"
    images.build(engine, BuildContext(root=root), name)
    yield model, name
    images.remove(engine, name, force=True)


def test_a_changed_weight_turns_claims_red(planted: tuple[str, str]) -> None:
    model, image = planted
    results = list(reproduce(find_package("hutto2014"), choose=_quick(model), image=image))
    red = [result.claim for result in results if not result.as_expected]

    assert [result.error for result in results if result.error] == []
    assert "The book was good." in {claim.subject for claim in red}
    assert 1 < len(red) < len(results)


def test_a_changed_weight_turns_a_number_of_the_paper_red(planted: tuple[str, str]) -> None:
    model, image = planted
    if model != "hutto2014-vader-icwsm":
        pytest.skip("the release does not reproduce it anyhow")
    card = find_package("hutto2014")
    results = reproduce(
        card, choose=lambda c: (c.model, c.dataset) == (model, "tweets"), image=image
    )

    assert [(r.claim.metric, r.verdict.value) for r in results if not r.as_expected] == [
        ("recall", "differs")
    ]


def test_the_other_program_of_the_image_stays_green(planted: tuple[str, str]) -> None:
    model, image = planted
    results = list(reproduce(find_package("hutto2014"), choose=_quick(_other(model)), image=image))

    assert results
    assert all(result.as_expected for result in results)


def test_a_changed_weight_fails_examples(planted: tuple[str, str]) -> None:
    model, image = planted
    failed = {r.model for r in run_examples(find_package("hutto2014"), image=image) if not r.passed}

    assert failed == {model}


def test_the_command_says_so_and_ends_with_1(planted: tuple[str, str]) -> None:
    model, image = planted
    arguments = [
        "reproduce",
        "hutto2014",
        "--model",
        model,
        "--source",
        "EXAMPLE",
        "--image",
        image,
    ]
    done = _repro(*arguments)
    as_json = _repro(*arguments, "--json")
    verdicts = {(claim["verdict"], claim["expected"]) for claim in json.loads(as_json.stdout)}

    assert done.returncode == as_json.returncode == 1, done.stderr
    assert "differs, not as expected" in done.stdout
    assert ("differs", "reproduces") in verdicts
    assert _repro(*arguments[:-2]).returncode == 0, "without the fault all is as expected"


def _other(model: str) -> str:
    return next(name for name in find_package("hutto2014").models if name != model)


def _quick(model: str) -> Callable[[Claim], bool]:
    """Choose the claims about single inputs of a model."""
    return lambda claim: claim.model == model and claim.input is not None


def _repro(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "repro", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


# Of other packages: a file of the image, what is changed in it, and a claim that knows of it.
FAULTS = [
    (
        "sadvilkar2020",
        "/usr/local/lib/python3.11/dist-packages/pysbd/lang/common/common.py",
        "s/LetterAtStartOfLineRule, SingleUpperCaseLetterRule/LetterAtStartOfLineRule/",
        "claims/golden-en.jsonl",
    ),
    (
        "bickerton2012",
        "/usr/local/lib/python3.11/dist-packages/rdkit/Chem/QED.py",
        r"s/^WEIGHT_MEAN = QEDproperties(0\.66, /WEIGHT_MEAN = QEDproperties(0.76, /",
        "0.934",
    ),
]


@pytest.mark.parametrize(
    ("package", "file", "change", "about"), FAULTS, ids=[fault[0] for fault in FAULTS]
)
def test_one_thing_changed_in_another_package_turns_its_claims_red(
    package: str, file: str, change: str, about: str, engine: Engine, tmp_path: Path
) -> None:
    card = find_package(package)
    (original,) = setup(card)
    name = f"{IMAGE}:{package}"
    (tmp_path / "Dockerfile").write_text(
        f'FROM {original.image}\nRUN cp {file} /tmp/before; sed -i "{change}" {file}; '
        f"! cmp -s /tmp/before {file}; rm /tmp/before\n"
    )
    images.build(engine, BuildContext(root=tmp_path), name)
    try:
        results = list(reproduce(card, choose=lambda c: about in (c.reported, c.cases), image=name))
    finally:
        images.remove(engine, name, force=True)

    assert [result.error for result in results if result.error] == []
    assert results
    assert all(result.verdict is Verdict.DIFFERS for result in results)
    assert not any(result.as_expected for result in results)
