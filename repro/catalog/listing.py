"""A search over the cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from repro.catalog.index import read_models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from repro.catalog.entry import Entry
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
