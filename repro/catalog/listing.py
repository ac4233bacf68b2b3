"""A line about each model, and a search over the cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repro.catalog.index import read_models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from repro.catalog.card import Card, ModelCard, Paper
    from repro.catalog.index import Entry, Models
    from repro.errors import CardError


def list_entries(
    words: Sequence[str] = (), on_error: Callable[[CardError], None] | None = None
) -> list[Entry]:
    """Describe every model whose card has all the words, in any case.

    A card that is not right is left out where `on_error` is told what is wrong with it.
    """
    sought = [word.lower() for word in words]
    return [
        entry
        for _, models in read_models(on_error)
        for entry, text in models
        if all(word in text for word in sought)
    ]


def describe(card: Card) -> Models:
    """Describe the models of a card, each with the text that is searched: small letters all."""
    about = (card.package, card.title, card.summary, card.paper.title, *card.paper.authors)
    return [
        (_entry(card, model), " ".join((*about, model.name, model.task, model.summary)).lower())
        for model in card.models.values()
    ]


def citation(paper: Paper) -> str:
    """Name a paper in a few words: first author and year."""
    author = paper.authors[0].rpartition(" ")[2] if paper.authors else ""
    others = " et al." if len(paper.authors) > 2 else ""
    if len(paper.authors) == 2:
        author += f" and {paper.authors[1].rpartition(' ')[2]}"
    return f"{author}{others} {paper.year or ''}".strip()


def _entry(card: Card, model: ModelCard) -> Entry:
    return {
        "model": model.name,
        "package": card.package,
        "task": model.task,
        "title": model.summary or card.title,
        "summary": card.summary,
        "paper": citation(card.paper),
        "license": card.license,
        "version": card.version,
        "claims": sum(claim.model == model.name for claim in card.claims),
    }
