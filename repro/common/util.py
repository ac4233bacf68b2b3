"""Small functions over texts, groups and nested metrics, for wrappers written as the ancestor's.

They are the ancestor's, by name and signature. Where it passed over an input in silence (lists of
different lengths, conflicting keys), these raise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from typing_extensions import TypeAliasType

from repro.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

TextType = str | list[str]
MetricsType = TypeAliasType("MetricsType", "dict[str, float | MetricsType]")
NestedDict = TypeAliasType("NestedDict", "Mapping[str, float | NestedDict]")

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Indexable(Protocol[_T_co]):
    """What gives a value for an int: a list, or a dict."""

    def __getitem__(self, index: int, /) -> _T_co:
        """Give the value at `index`."""
        ...


def flatten(text: TextType | Sequence[str], separator: str | None = None) -> str:
    """Join the parts of a text; a string stays as it is.

    Parameters
    ----------
    text : str or list of str
        The text, whole or in parts such as sentences.
    separator : str, optional
        What to put between parts: a space by default. An empty one joins them directly; the
        ancestor took it for a space.
    """
    if isinstance(text, str):
        return text
    return (" " if separator is None else separator).join(text)


def group_by_references(
    candidates: Sequence[_T], references_list: Sequence[Sequence[TextType]]
) -> tuple[list[list[_T]], list[list[TextType]], list[tuple[int, int]]]:
    """Group candidates that have the same references.

    Groups are told apart by value; the ancestor's went by `hash()`, which two different lists of
    references may share.

    Parameters
    ----------
    candidates, references_list : sequence, length N
        Aligned by position.

    Returns
    -------
    grouped_candidates : list of list
        The candidates of each group.
    grouped_references : list of list of text
        The references of each group.
    mapping : list of (int, int), length N
        Where each candidate is: the group, and the place in it. `ungroup_values` takes it.

    Raises
    ------
    InputError
        If the lengths differ.
    """
    _check_lengths("candidates", candidates, "references_list", references_list)
    groups: dict[tuple[object, ...], int] = {}
    grouped: list[list[_T]] = []
    grouped_references: list[list[TextType]] = []
    mapping = []
    for candidate, references in zip(candidates, references_list, strict=True):
        key = tuple(one if isinstance(one, str) else tuple(one) for one in references)
        group = groups.setdefault(key, len(groups))
        if group == len(grouped):
            grouped.append([])
            grouped_references.append(list(references))
        mapping.append((group, len(grouped[group])))
        grouped[group].append(candidate)
    return grouped, grouped_references, mapping


def ungroup_values(
    values: Indexable[Indexable[_T]], mapping: Iterable[tuple[int, int]]
) -> list[_T]:
    """Undo a grouping: give, for each (group, place) of the mapping, the value there."""
    return [values[group][place] for group, place in mapping]


def flatten_nested_dict(nested_dict: NestedDict) -> dict[tuple[str, ...], float]:
    """Make one level of nested ones: each number under the tuple of its keys.

    A nested dict that is empty has no number, and so is not in the result.
    """
    flat: dict[tuple[str, ...], float] = {}
    for key, value in nested_dict.items():
        if isinstance(value, Mapping):
            flat.update({(key, *rest): v for rest, v in flatten_nested_dict(value).items()})
        else:
            flat[key,] = value
    return flat


def unflatten_dict(d: Mapping[tuple[str, ...], float]) -> dict[str, Any]:
    """Undo `flatten_nested_dict`.

    Raises
    ------
    InputError
        If a key is empty, or leads through one that has a number; the ancestor kept the last one.
    """
    nested: dict[str, Any] = {}
    for keys, value in d.items():
        if not keys:
            raise InputError("a key of a flat dict is empty")
        *path, last = keys
        target = nested
        for key in path:
            target = target.setdefault(key, {})
            if not isinstance(target, dict):
                raise InputError(f"the key {keys!r} leads through one that has a number")
        if last in target:
            raise InputError(f"the key {keys!r} is also the beginning of another one")
        target[last] = value
    return nested


def average_dicts(dicts: Sequence[NestedDict]) -> dict[str, Any]:
    """Average nested dicts number by number.

    Sums are exact before they are rounded (`math.fsum`), so that a macro average depends neither on
    the order of its rows nor on the version of Python, as the ancestor's did in the last digits.

    Parameters
    ----------
    dicts : sequence of nested dict of float, length N
        All with the same keys; none give an empty dict.

    Raises
    ------
    InputError
        If one has other keys than the first; names them.
    """
    flat = [flatten_nested_dict(one) for one in dicts]
    for index, one in enumerate(flat):
        if one.keys() != flat[0].keys():
            differing = sorted(".".join(key) for key in one.keys() ^ flat[0].keys())
            raise InputError(
                f"dict {index} has not the keys of dict 0; only one of them has: "
                f"{', '.join(differing)}"
            )
    keys = flat[0] if flat else {}
    return unflatten_dict({key: _mean([one[key] for one in flat]) for key in keys})


def is_empty_text(text: TextType | Sequence[str]) -> bool:
    """Whether there is nothing but white space in a text, or in any of its parts."""
    return not text.strip() if isinstance(text, str) else all(not part.strip() for part in text)


def remove_empty_inputs(
    inputs: Sequence[TextType], *contexts: Sequence[Any]
) -> tuple[Any, ...]:  # (set of int, list, list for each context): no type says so
    """Take the empty texts out, and from each context what belongs to them.

    That all are empty is fine; the ancestor raised a ValueError then.

    Parameters
    ----------
    inputs, *contexts : sequence, length N
        Aligned by position.

    Returns
    -------
    empty_indices : set of int
        Where the empty ones were. `insert_empty_values` takes it.
    inputs, *contexts : list
        What is left of each.

    Raises
    ------
    InputError
        If the lengths differ.
    """
    for number, context in enumerate(contexts, start=1):
        _check_lengths("inputs", inputs, f"context {number}", context)
    empty = {index for index, text in enumerate(inputs) if is_empty_text(text)}
    kept = (
        [value for index, value in enumerate(values) if index not in empty]
        for values in (inputs, *contexts)
    )
    return (empty, *kept)


def insert_empty_values(
    inputs: Sequence[_T], empty_indices: Collection[int], empty_value: _T
) -> list[_T]:
    """Undo `remove_empty_inputs`: put a value where each empty input was.

    Each gets a copy of its own: in the ancestor, to change one was to change them all.

    Parameters
    ----------
    inputs : sequence
        The values of the inputs that were not empty.
    empty_indices : collection of int
        The places of the others in the result.
    empty_value
        What to put there.

    Raises
    ------
    InputError
        If an index is not within the result.
    """
    places = set(empty_indices)
    length = len(inputs) + len(places)
    if outside := sorted(place for place in places if not 0 <= place < length):
        raise InputError(f"the index {outside[0]} is not within the {length} values")
    values = iter(inputs)
    return [deepcopy(empty_value) if i in places else next(values) for i in range(length)]


def get_default_dict(d: NestedDict, default: float) -> dict[str, Any]:
    """Make a nested dict with the keys of another, and the same number everywhere."""
    return unflatten_dict(dict.fromkeys(flatten_nested_dict(d), default))


def check_for_single_texts(texts_list: Sequence[Sequence[_T]]) -> list[_T]:
    """Take the one text of each list.

    Raises
    ------
    InputError
        If a list has none or several; names its index.
    """
    for index, texts in enumerate(texts_list):
        if len(texts) != 1:
            raise InputError(f"item {index} has {len(texts)} texts, where exactly 1 is possible")
    return [texts[0] for texts in texts_list]


def aggregate_parallel_metrics(
    outputs_list: Iterable[tuple[NestedDict, Sequence[_T]]],
) -> tuple[dict[str, Any], list[_T]]:
    """Put together what the workers of a `ParallelModel` say of a metric.

    Parameters
    ----------
    outputs_list : iterable of (macro, micro)
        The output of each worker, in the order of the inputs.

    Returns
    -------
    macro : nested dict of float
        The average of all rows: right for metrics whose corpus value is the mean of their rows, and
        for no others.
    micro : list
        All rows, in the order of the inputs.

    Raises
    ------
    InputError
        If a metric has a macro and no rows, such as BLEU: its parts say nothing about the whole.
        The ancestor answered with an empty macro.
    """
    micro: list[Any] = []
    for macro, rows in outputs_list:
        if macro and not rows:
            raise InputError(
                "the metric gives no value for each row, so its values over parts of a corpus "
                "cannot be put together; compute it in one process"
            )
        micro.extend(rows)
    return average_dicts(micro), micro


def aggregate_metrics_by_group(
    groups: Sequence[int], metrics_list: Sequence[NestedDict]
) -> list[dict[str, Any]]:
    """Average metrics by group, such as those over the references of one candidate.

    Parameters
    ----------
    groups : sequence of int, length N
        The group of each: 0, 1, …, each at least once. None at all give an empty list.
    metrics_list : sequence of nested dict of float, length N
        The metrics.

    Returns
    -------
    list of nested dict of float
        The average of each group.

    Raises
    ------
    ValueError
        If the lengths differ, or a group is missing.
    """
    if len(groups) != len(metrics_list):
        raise ValueError(f"there are {len(groups)} groups for {len(metrics_list)} metrics")
    members: dict[int, list[NestedDict]] = {}
    for group, metrics in zip(groups, metrics_list, strict=True):
        members.setdefault(group, []).append(metrics)
    if members and (odd := set(members) ^ set(range(len(members)))):
        raise ValueError(f"groups must be 0, 1, 2, … without gaps; see group {min(odd)}")
    return [average_dicts(members[group]) for group in range(len(members))]


def _check_lengths(
    name: str, values: Collection[object], other_name: str, others: Collection[object]
) -> None:
    if len(values) != len(others):
        raise InputError(f"{other_name} has {len(others)} items, {name} has {len(values)}")


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except (ValueError, OverflowError):  # infinities of both signs, or a sum beyond a float
        return sum(values) / len(values)
