"""Which rows are chosen, and under which names."""

from __future__ import annotations

from itertools import count, islice
from typing import Any

import pytest

from repro.errors import ConfigurationError, InstanceError
from repro.operations.selection import Selection

ROWS = [{"text": letter, "label": index} for index, letter in enumerate("abcdefg")]


def choose(rows: Any, **given: Any) -> list[dict[str, Any]]:
    """Choose rows for a model `m`."""
    return list(Selection(**given).choose("m", rows))


def test_without_a_choice_all_rows_are_taken_with_their_numbers() -> None:
    assert choose([{"a": 1}, {}, {"b": 2}]) == [
        {"instance_id": "0", "a": 1},
        {"instance_id": "1"},
        {"instance_id": "2", "b": 2},
    ]


def test_an_id_of_its_own_is_kept_and_comes_first() -> None:
    (row,) = choose([{"a": 1, "instance_id": "x"}])

    assert list(row.items()) == [("instance_id", "x"), ("a", 1)]


@pytest.mark.parametrize("identity", [5, None, True, ["x"], 1.5])
def test_an_id_that_is_no_string_is_refused(identity: object) -> None:
    with pytest.raises(InstanceError, match=r"instance 1.*'instance_id' is not a string"):
        choose([{}, {"instance_id": identity}])


def test_the_rows_that_are_given_stay_as_they_are() -> None:
    row = {"a": 1, "instance_id": "x"}

    choose([row], rename={"a": "b"}, columns=("b",))

    assert row == {"a": 1, "instance_id": "x"}


def test_columns_are_renamed_in_their_places() -> None:
    (row,) = choose([{"a": 1, "b": 2, "c": 3}], rename={"b": "x"})

    assert list(row) == ["instance_id", "a", "x", "c"]


def test_columns_may_swap_their_names() -> None:
    assert choose([{"a": 1, "b": 2}], rename={"a": "b", "b": "a"}) == [
        {"instance_id": "0", "b": 1, "a": 2}
    ]


def test_a_column_may_become_the_id() -> None:
    assert choose([{"key": "x", "a": 1}], rename={"key": "instance_id"}) == [
        {"instance_id": "x", "a": 1}
    ]


def test_a_column_to_rename_that_is_not_there_is_named() -> None:
    with pytest.raises(InstanceError, match=r"instance 1.*'b' is to be renamed and is not there"):
        choose([{"b": 1}, {"a": 1}], rename={"b": "x"})


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(InstanceError, match=r"instance 0.*renamed alike"):
        choose([{"a": 1, "b": 2}], rename={"a": "b"})


def test_columns_are_selected_by_their_new_names() -> None:
    assert choose([{"a": 1, "b": 2, "c": 3}], rename={"a": "x"}, columns=("c", "x")) == [
        {"instance_id": "0", "x": 1, "c": 3}
    ]


def test_selecting_columns_keeps_the_id() -> None:
    assert choose([{"a": 1, "instance_id": "x", "b": 2}], columns=("a",)) == [
        {"instance_id": "x", "a": 1}
    ]


@pytest.mark.parametrize("columns", [("old",), ("x", "none")])
def test_a_selected_column_that_is_not_there_is_named(columns: tuple[str, ...]) -> None:
    with pytest.raises(InstanceError, match=r"'(old|none)' is selected and is not there"):
        choose([{"old": 1}], rename={"old": "x"}, columns=columns)


@pytest.mark.parametrize("row", [[1], "text", 5, None, True])
def test_a_row_that_is_no_object_is_refused(row: object) -> None:
    with pytest.raises(InstanceError, match=r"instance 1.*it is not an object with fields"):
        choose([{}, row])


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 8])
def test_the_shards_together_are_the_whole_and_no_two_have_a_row(parts: int) -> None:
    shards = [choose(ROWS, shard=(part, parts)) for part in range(1, parts + 1)]
    everything = [row for shard in shards for row in shard]

    assert sorted(everything, key=lambda row: row["label"]) == choose(ROWS)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_the_ids_in_a_shard_are_row_numbers_of_the_whole() -> None:
    assert [row["instance_id"] for row in choose(ROWS, shard=(2, 3))] == ["1", "4"]


def test_a_limit_counts_the_rows_of_the_shard() -> None:
    assert [row["instance_id"] for row in choose(ROWS, shard=(2, 3), limit=1)] == ["1"]
    assert choose(ROWS, limit=100) == choose(ROWS)


def test_no_row_beyond_the_limit_is_read() -> None:
    read = count()
    endless = ({"n": n} for n in read)

    assert len(choose(endless, limit=3)) == 3
    assert next(read) <= 4


def test_a_limit_of_zero_takes_nothing() -> None:
    assert choose(ROWS, limit=0) == []


def test_rows_beyond_the_choice_may_be_wrong() -> None:
    rows = [{"a": 1}, {"b": 2}, {"a": 3}]

    assert len(choose(rows, columns=("a",), shard=(1, 2))) == 2
    assert len(choose(rows, columns=("a",), limit=1)) == 1


def test_rows_are_chosen_as_they_come() -> None:
    chosen = Selection().choose("m", ({"n": n} for n in count()))

    assert [row["n"] for row in islice(chosen, 2)] == [0, 1]


@pytest.mark.parametrize("shard", [(0, 1), (2, 1), (0, 0), (-1, 2), (1, 0)])
def test_a_shard_that_cannot_be_is_refused(shard: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match=f"there is no shard {shard[0]}/{shard[1]}"):
        Selection(shard=shard)


def test_a_limit_below_zero_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="-1 rows is less than none"):
        Selection(limit=-1)
