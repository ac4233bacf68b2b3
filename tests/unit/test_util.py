"""The ancestor's small functions over texts, groups and nested metrics."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from repro.common import util
from repro.errors import InputError


def test_a_text_is_joined_from_its_parts() -> None:
    assert util.flatten("text", separator="-") == "text"
    assert util.flatten(["1", "2"]) == "1 2"
    assert util.flatten(["1", "2"], separator="-") == "1-2"
    assert util.flatten(["1", "2"], separator="") == "12", "the ancestor took it for a space"
    assert util.flatten([]) == ""


@pytest.mark.parametrize(
    ("references", "grouped", "places"),
    [
        ([["A"], ["B"], ["C"]], [["A"], ["B"], ["C"]], [(0, 0), (1, 0), (2, 0)]),
        ([["A"], [["B"]], ["A"]], [["A"], [["B"]]], [(0, 0), (1, 0), (0, 1)]),
        ([["A"], [["A"]], ["A", "A"]], [["A"], [["A"]], ["A", "A"]], [(0, 0), (1, 0), (2, 0)]),
        ([["A", ["B", "C"]], ["D"], ["A", ["B", "C"]]], None, [(0, 0), (1, 0), (0, 1)]),
        ([["B1", "B2"], [["B1", "B2"]], [["B1", "B2"]]], None, [(0, 0), (1, 0), (1, 1)]),
        ([[], ["A"], []], [[], ["A"]], [(0, 0), (1, 0), (0, 1)]),
    ],
)
def test_candidates_are_grouped_by_their_references_and_back(
    references: list[list[util.TextType]], grouped: object, places: list[tuple[int, int]]
) -> None:
    candidates = ["1", "2", "3"]

    by_group, of_groups, mapping = util.group_by_references(candidates, references)

    assert mapping == places
    assert util.ungroup_values(by_group, mapping) == candidates
    assert [of_groups[group] for group, _ in mapping] == references
    assert grouped is None or of_groups == grouped


class SameHash(str):
    __slots__ = ()

    def __hash__(self) -> int:
        return 1


def test_references_whose_hashes_are_the_same_are_not_merged() -> None:
    """Defect 11: the ancestor grouped by `hash()`."""
    references = [[SameHash("A")], [SameHash("B")], [SameHash("A")]]

    grouped, _, _ = util.group_by_references(["1", "2", "3"], references)

    assert grouped == [["1", "3"], ["2"]]


def test_values_are_ungrouped_from_dicts_too() -> None:
    values = {0: {0: "a", 1: "b"}, 1: {0: "c"}}

    assert util.ungroup_values(values, [(1, 0), (0, 1), (0, 0)]) == ["c", "b", "a"]


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="references_list has 1 items, candidates has 2"):
        util.group_by_references(["1", "2"], [["A"]])
    with pytest.raises(InputError, match="context 2 has 3 items, inputs has 1"):
        util.remove_empty_inputs(["a"], ["b"], [1, 2, 3])


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ({}, {}),
        ({"A": 1}, {("A",): 1}),
        (
            {"A": 1, "B": {"C": 2, "D": 3, "E": {"F": 4}}},
            {("A",): 1, ("B", "C"): 2, ("B", "D"): 3, ("B", "E", "F"): 4},
        ),
    ],
)
def test_a_nested_dict_is_flattened_and_back(nested: Any, flat: Any) -> None:
    assert util.flatten_nested_dict(nested) == flat
    assert util.unflatten_dict(flat) == nested


@pytest.mark.parametrize(
    "flat",
    [{("a",): 1.0, ("a", "b"): 2.0}, {("a", "b"): 2.0, ("a",): 1.0}, {(): 1.0}],
)
def test_keys_that_are_in_each_others_way_are_refused(flat: dict[tuple[str, ...], float]) -> None:
    with pytest.raises(InputError, match="key"):
        util.unflatten_dict(flat)


def test_nested_dicts_are_averaged() -> None:
    one = {"A": 1, "B": {"C": 2, "E": {"F": 4}}}
    other = {"B": {"E": {"F": 8}, "C": 6}, "A": 5}

    assert util.average_dicts([]) == {}
    assert util.average_dicts([one]) == one
    assert util.average_dicts([one, other]) == {"A": 3, "B": {"C": 4, "E": {"F": 6}}}


def test_an_average_does_not_depend_on_the_order() -> None:
    values = [{"a": random.Random(seed).uniform(-1e6, 1e6)} for seed in range(1000)]
    shuffled = random.Random(0).sample(values, len(values))

    assert util.average_dicts(values) == util.average_dicts(shuffled)
    assert util.average_dicts([{"a": 0.1}] * 10) == {"a": 0.1}


def test_infinities_and_nan_are_averaged_as_floats_are() -> None:
    assert util.average_dicts([{"a": math.inf}, {"a": 1.0}]) == {"a": math.inf}
    assert math.isnan(util.average_dicts([{"a": math.inf}, {"a": -math.inf}])["a"])
    assert math.isnan(util.average_dicts([{"a": math.nan}, {"a": 1.0}])["a"])


@pytest.mark.parametrize(
    "other", [{"A": 1, "B": {"C": 2}}, {"B": {"C": 2, "D": 3}}, {"A": 1, "B": 2}]
)
def test_dicts_with_different_keys_are_refused_by_name(other: Any) -> None:
    with pytest.raises(InputError, match=r"dict 1 has not the keys of dict 0; .*(B\.D|A)"):
        util.average_dicts([{"A": 1, "B": {"C": 2, "D": 3}}, other])


@pytest.mark.parametrize("text", ["", "  ", " \n ", [], [""], ["", "  "]])
def test_white_space_is_an_empty_text(text: util.TextType) -> None:
    assert util.is_empty_text(text) is True


@pytest.mark.parametrize("text", ["A", ["A"], ["", "A"]])
def test_anything_else_is_not_empty(text: util.TextType) -> None:
    assert util.is_empty_text(text) is False


@pytest.mark.parametrize(
    ("inputs", "empty", "kept"),
    [
        (["A", "", "B", " ", "C"], {1, 3}, [0, 2, 4]),
        (["A", "B"], set(), [0, 1]),
        ([["A"], [], [""]], {1, 2}, [0]),
        ([], set(), []),
    ],
)
def test_empty_inputs_are_taken_out_and_put_back(
    inputs: list[util.TextType], empty: set[int], kept: list[int]
) -> None:
    numbers = list(range(len(inputs)))

    found, left, places = util.remove_empty_inputs(inputs, numbers)

    assert (found, left, places) == (empty, [inputs[i] for i in kept], kept)
    assert util.insert_empty_values(places, found, -1) == [-1 if i in empty else i for i in numbers]


def test_all_inputs_may_be_empty() -> None:
    """Defect 11: a ValueError in the ancestor, so that BERTScore failed on blanks."""
    assert util.remove_empty_inputs(["", " "], [1, 2], [3, 4]) == ({0, 1}, [], [], [])
    assert util.remove_empty_inputs(["", " "]) == ({0, 1}, [])
    assert util.insert_empty_values([], {0, 1}, 0.0) == [0.0, 0.0]


def test_each_empty_value_is_one_of_its_own() -> None:
    values = util.insert_empty_values([{"f": 1.0}], {0, 2}, {"f": 0.0})

    values[0]["f"] = 5.0

    assert values == [{"f": 5.0}, {"f": 1.0}, {"f": 0.0}]


@pytest.mark.parametrize("index", [-1, 2, 7])
def test_a_place_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(InputError, match=f"the index {index} is not within the 2 values"):
        util.insert_empty_values([1], {index}, 0)


def test_a_default_dict_has_the_same_keys() -> None:
    assert util.get_default_dict({"A": 1, "B": {"C": 2}}, 0.5) == {"A": 0.5, "B": {"C": 0.5}}


def test_the_one_text_of_each_list_is_taken() -> None:
    assert util.check_for_single_texts([["A"], [["B", "C"]]]) == ["A", ["B", "C"]]
    for texts in ([], ["A", "B"]):
        with pytest.raises(InputError, match=f"item 1 has {len(texts)} texts"):
            util.check_for_single_texts([["A"], texts])


def test_metrics_of_workers_are_put_together() -> None:
    outputs = [({"s": 2.0}, [{"s": 1}, {"s": 3}]), ({"s": 5.0}, [{"s": 5}])]

    assert util.aggregate_parallel_metrics(outputs) == ({"s": 3.0}, [{"s": 1}, {"s": 3}, {"s": 5}])
    assert util.aggregate_parallel_metrics([]) == ({}, [])


def test_a_metric_without_rows_cannot_be_put_together() -> None:
    with pytest.raises(InputError, match="no value for each row"):
        util.aggregate_parallel_metrics([({"bleu": 30.0}, []), ({"bleu": 40.0}, [])])


def test_metrics_are_averaged_by_group() -> None:
    metrics = [{"a": value} for value in range(6)]

    assert util.aggregate_metrics_by_group([0, 1, 2, 3, 4, 5], metrics) == metrics
    assert util.aggregate_metrics_by_group([0, 0, 0, 1, 1, 1], metrics) == [{"a": 1}, {"a": 4}]
    assert util.aggregate_metrics_by_group([1, 0, 1, 1, 0, 1], metrics) == [{"a": 2.5}, {"a": 2.5}]
    assert util.aggregate_metrics_by_group([], []) == []


@pytest.mark.parametrize("groups", [[0, 1, 2], [-1, 0], [1, 2], [0, 2]])
def test_groups_that_do_not_count_up_are_refused(groups: list[int]) -> None:
    with pytest.raises(ValueError, match=r"groups"):
        util.aggregate_metrics_by_group(groups, [{"a": 1}, {"a": 2}])
