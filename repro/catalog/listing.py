"""A line about each model, and a search over the cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from repro.catalog.index import read_models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from repro.catalog.card import Card, ModelCard, Paper
    from repro.catalog.index import Entry, Models
    from repro.errors import CardError


def list_entries(
    words: Sequence[str] = (),
    on_error: Callable[[CardError], None] | None = None,
    *,
    task: str = "",
    language: str = "",
    modality: str = "",
) -> list[Entry]:
    """Describe the models that are sought; all of them if nothing is.

    Parameters
    ----------
    words : sequence of str
        The card has all of them, in any case.
    on_error : callable, optional
        Gets what is wrong with a card that is not right, which is left out then.
    task : str
        The model's; also by a name that it has elsewhere.
    language : str
        A code of BCP 47; ``pt`` finds ``pt-BR``, too.
    modality : str
        What goes in or comes out, such as ``audio``, ``audio→`` or ``audio→text``.

    Raises
    ------
    UnknownNameError
        If there is no such task or modality.
    """
    fits = _filter(task, language, modality)
    sought = [word.lower() for word in words]
    return [
        entry
        for _, models in read_models(on_error)
        for entry, text in models
        if all(word in text for word in sought) and fits(entry)
    ]


def _filter(task: str, language: str, modality: str) -> Callable[[Entry], bool]:
    if not (task or language or modality):
        return lambda _entry: True
    from repro.catalog.tasks import check_modality, has_modality, task_named

    task = task and task_named(task)
    check_modality(modality)

    def fits(entry: Entry) -> bool:
        known = cast("list[str]", entry["languages"])
        spoken = any(f"{code}-".lower().startswith(f"{language}-".lower()) for code in known)
        return (
            task in {"", entry["task"]}
            and (spoken or not language)
            and has_modality(str(entry["modality"]), modality)
        )

    return fits


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
