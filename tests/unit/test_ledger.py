"""Ledgers: what stands in them is read, also where they were written before costs were."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from repro.catalog import find_package, read_cards
from repro.catalog.ledger import costs_of, read_ledger, write_ledger
from repro.errors import DataFileError

if TYPE_CHECKING:
    from pathlib import Path

    from repro.catalog import Card

CARDS = list(read_cards())
IMAGES = {
    "somebody/lin2004:1.0": {"id": "a", "bytes_added": 53_000_000},
    "somebody/lin2004-rougescore:1.0": {"id": "b", "bytes_added": 89_000_000},
}
LEDGER = {
    "version": "1.0",
    "images": IMAGES,
    "models": {"lin2004-rouge": {"load_seconds": 0.1, "row_seconds": 0.003}},
    "machine": "Linux x86_64",
    "processor": "",
    "cores": 2,
}


@pytest.fixture
def rouge(tmp_path: Path) -> Card:
    """The card of a package with two images, and a folder of its own."""
    return replace(find_package("lin2004"), folder=tmp_path)


@pytest.mark.parametrize("card", CARDS, ids=[card.package for card in CARDS])
def test_the_ledger_of_every_package_is_read(card: Card) -> None:
    ledger = read_ledger(card.folder)

    assert ledger.get("package", card.package) == card.package
    for model in card.models:
        for key, value in costs_of(card, model).items():
            assert key in {"machine", "processor"} or value >= 0


def test_the_costs_of_a_model_are_with_those_of_its_own_image(rouge: Card) -> None:
    write_ledger(rouge.folder, LEDGER, [])
    where = {"machine": "Linux x86_64", "cores": 2}

    assert costs_of(rouge, "lin2004-rouge") == {
        "load_seconds": 0.1,
        "row_seconds": 0.003,
        "bytes_added": 53_000_000,
        **where,
    }
    assert costs_of(rouge, "lin2004-rougescore") == {"bytes_added": 89_000_000, **where}


@pytest.mark.parametrize(
    "change", [{"version": "0.9"}, {"images": {}, "models": {}}, {"version": None}]
)
def test_what_was_not_measured_of_this_version_is_not_told(
    rouge: Card, change: dict[str, Any]
) -> None:
    write_ledger(rouge.folder, {**LEDGER, **change}, [])

    assert costs_of(rouge, "lin2004-rouge") == {}


def test_without_a_ledger_nothing_is_known(rouge: Card) -> None:
    assert read_ledger(rouge.folder) == {}
    assert costs_of(rouge, "lin2004-rouge") == {}


@pytest.mark.parametrize(
    ("content", "problem"),
    [("{", "is not JSON"), ("[]", "is no ledger"), (json.dumps("text"), "is no ledger")],
)
def test_what_is_no_ledger_is_told(rouge: Card, content: str, problem: str) -> None:
    (rouge.folder / "ledger.json").write_text(content)

    with pytest.raises(DataFileError, match=problem):
        read_ledger(rouge.folder)
