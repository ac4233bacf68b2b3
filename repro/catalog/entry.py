"""What a list says of a model: one line, made of its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from repro.catalog.card import Card, ModelCard, Paper
    from repro.common.jsonlines import JSON

    Entry: TypeAlias = dict[str, JSON]
    Models: TypeAlias = list[tuple[Entry, str]]  # and the text that a search looks at


def describe(card: Card) -> Models:
    """Describe the models of a card, each with the text that is searched: small letters all."""
    about = (card.package, card.title, card.summary)
    paper = (card.paper.title, *card.paper.authors)
    return [
        (_entry(card, m), " ".join((*about, *paper, m.name, m.task, m.summary)).lower())
        for m in card.models.values()
    ]


def language_words(languages: Sequence[str], most: int = 3) -> str:
    """Name languages by their codes; how many there are, where that would be long."""
    return ", ".join(languages) if len(languages) <= most else f"{len(languages)} languages"


def citation(paper: Paper) -> str:
    """Name a paper in a few words: first author and year."""
    author = paper.authors[0].rpartition(" ")[2] if paper.authors else ""
    others = " et al." if len(paper.authors) > 2 else ""
    if len(paper.authors) == 2:
        author += f" and {paper.authors[1].rpartition(' ')[2]}"
    return f"{author}{others} {paper.year or ''}".strip()


def _entry(card: Card, model: ModelCard) -> Entry:
    from repro.catalog.tasks import TASKS

    return {
        "model": model.name,
        "package": card.package,
        "task": model.task,
        "modality": TASKS[model.task].modality,
        "languages": [*card.languages],
        "title": model.summary or card.title,
        "summary": card.summary,
        "paper": citation(card.paper),
        "license": card.license,
        "weights_license": card.weights_license,
        "upstream": card.upstream,
        "version": card.version,
        "claims": sum(claim.model == model.name for claim in card.claims),
    }
