"""When a value bears a claim out, in decimal arithmetic; the metrics, by published numbers."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from repro.catalog.claim import Claim, Verdict, difference, judge, tolerance
from repro.catalog.metrics import METRICS, compute, same
from repro.errors import ConfigurationError


def claim_of(reported: Any, **others: Any) -> Claim:
    return Claim(model="smith2020", reported=reported, source="Table 1", **others)


def reproduces(reported: Any, value: Any, **others: Any) -> bool:
    return judge(claim_of(reported, **others), value) == Verdict.REPRODUCED


@pytest.mark.parametrize(
    ("reported", "value", "borne_out"),
    [
        # Half a unit of the last digit, the bound included: 0.935 is no binary number.
        ("0.94", 0.94, True),
        ("0.94", 0.935, True),
        ("0.94", 0.945, True),
        ("0.94", 0.9349, False),
        ("0.94", 0.9451, False),
        ("0.94", 0.93499999999, False),
        ("0.94", 0.94500000001, False),
        # What summing floats adds is noise: 12 digits count.
        ("0.94", 0.945 + 1e-15, True),
        ("0.94", 0.935 - 1e-15, True),
        ("0.3", 0.1 + 0.2, True),
        ("0.300000000000", 0.1 + 0.2, True),
        # Zeros at the end are digits.
        ("0.70", 0.7049, True),
        ("0.70", 0.7051, False),
        ("0.70", 0.695, True),
        ("0.70", 0.6949, False),
        ("0.7", 0.7051, True),
        ("0.7", 0.65, True),
        ("0.7", 0.75, True),
        ("0.7", 0.6499, False),
        (".7", 0.74, True),
        # The sign is part of the number.
        ("-0.7424", -0.7424, True),
        ("-0.7424", -0.74245, True),
        ("-0.7424", -0.74235, True),
        ("-0.7424", -0.7425, False),
        ("-0.7424", 0.7424, False),
        ("0.0", -0.05, True),
        ("0.0", -0.051, False),
        ("-0.0", 0.0, True),
        # An exponent moves the last digit.
        ("1.2e3", 1250, True),
        ("1.2e3", 1150.0, True),
        ("1.2e3", 1251, False),
        ("1e-3", 0.0015, True),
        ("1e-3", 0.0016, False),
        ("2E+2", 249.0, True),
        # Whole numbers.
        ("5", 5, True),
        ("5", 4.5, True),
        ("5", 5.5, True),
        ("5", 5.51, False),
        ("1200", 1200.5, True),
        ("1200", 1201, False),
        ("0", 0, True),
        # What is no number is not near one.
        ("0.94", math.nan, False),
        ("0.94", math.inf, False),
        ("0.94", -math.inf, False),
        ("0.94", None, False),
        ("0.94", [0.94], False),
        ("1", True, False),
        ("0", False, False),
        ("high", 0.94, False),
        ("nan", math.nan, False),
        ("Infinity", math.inf, False),
    ],
)
def test_a_number_reproduces_within_half_a_unit_of_the_last_reported_digit(
    reported: str, value: object, borne_out: bool
) -> None:
    assert reproduces(reported, value) == borne_out


@pytest.mark.parametrize(
    ("reported", "value", "borne_out"),
    [
        ("1234567890123", 1234567890123, True),
        ("1234567890123", 1234567890124, False),
        ("-9007199254740993", -9007199254740993, True),
        (str(2**70), 2**70, True),
        (str(2**70), 2**70 + 1, False),
        (str(10**40), 10**40 + 1, False),
        pytest.param("5", 10**400, False, id="beyond every float"),
    ],
)
def test_a_whole_number_counts_to_its_last_digit_however_long_it_is(
    reported: str, value: int, borne_out: bool
) -> None:
    assert reproduces(reported, value) == borne_out


@pytest.mark.parametrize(
    ("reported", "value", "borne_out"),
    [
        ("cba", "cba", True),
        ("cba", "cba ", False),
        ("0.94", "0.94", True),
        ("0.94", "0.940", False),
        (["a", 1], ["a", 1], True),
        (["a", 1], [1, "a"], False),
        (["a"], ["a", "a"], False),
        ([0.5], [0.5000001], False),
        ({"neg": 0.0, "pos": 0.746}, {"pos": 0.746, "neg": 0.0}, True),
        ({"neg": 0.0}, {"neg": 0}, True),
        ({"neg": 0.0}, {"neg": 0.0, "pos": 0.0}, False),
        ({"neg": 0.0}, {"neg": 1e-9}, False),
        ({"at": [1, {"x": "y"}]}, {"at": [1, {"x": "y"}]}, True),
        ({"neg": 0.0}, 0.0, False),
        ([0.94], 0.94, False),
        ("cba", None, False),
    ],
)
def test_what_is_no_number_compares_exactly(
    reported: object, value: object, borne_out: bool
) -> None:
    assert reproduces(reported, value) == borne_out


@pytest.mark.parametrize(
    ("reported", "value"),
    [({"found": True}, {"found": 1}), ([1], [True]), ({"a": {"b": [0]}}, {"a": {"b": [False]}})],
)
def test_true_is_not_the_number_one_inside_a_value_either(reported: object, value: object) -> None:
    assert not reproduces(reported, value)


def test_numbers_in_a_reported_value_may_differ_by_the_tolerance() -> None:
    assert reproduces([0.5, {"a": 1.25}], [0.51, {"a": 1.24}], tolerance="0.01")
    assert not reproduces([0.5, {"a": 1.25}], [0.51, {"a": 1.23}], tolerance="0.01")
    assert not reproduces([0.5], [0.51])


def test_a_tolerance_takes_the_place_of_half_a_unit() -> None:
    wider = {"tolerance": "0.02", "tolerance_reason": "three seeds"}

    assert reproduces("0.94", 0.92, **wider)
    assert reproduces("0.94", 0.96, **wider)
    assert not reproduces("0.94", 0.9199, **wider)
    assert not reproduces("0.94", 0.9601, **wider)
    assert reproduces("0.94", 0.94, tolerance="0", tolerance_reason="it counts")
    assert not reproduces("0.94", 0.9401, tolerance="0", tolerance_reason="it counts")


@pytest.mark.parametrize(
    ("reported", "allowed"),
    [
        ("0.94", "0.005"),
        ("0.70", "0.005"),
        ("0.7", "0.05"),
        ("-0.7424", "0.00005"),
        ("12", "0.5"),
        ("1.2e3", "50"),
        ("1e-3", "0.0005"),
    ],
)
def test_the_tolerance_is_half_a_unit_of_the_last_digit(reported: str, allowed: str) -> None:
    assert tolerance(claim_of(reported)) == Decimal(allowed)


@pytest.mark.parametrize(
    ("reported", "value", "difference_"),
    [
        ("0.94", 0.935, "-0.005"),
        ("0.3", 0.1 + 0.2, "0"),
        ("-0.5", 0.25, "0.75"),
        ("5", 7, "2"),
        ("1.2e3", 1234, "34"),
    ],
)
def test_the_difference_is_what_was_found_less_what_was_reported(
    reported: str, value: float, difference_: str
) -> None:
    assert difference(claim_of(reported), value) == Decimal(difference_)


@pytest.mark.parametrize("value", [True, None, "0.94", [0.94], {}, math.nan, math.inf])
def test_there_is_no_difference_from_what_is_no_number(value: object) -> None:
    assert difference(claim_of("0.94"), value) is None


@pytest.mark.parametrize("reported", ["abc", "", ["0.94"], {"a": "0.94"}, "nan", "Infinity"])
def test_there_is_no_difference_to_what_is_no_number(reported: object) -> None:
    assert difference(claim_of(reported), 0.94) is None


def test_a_verdict_is_as_expected_if_it_is_the_one_of_the_card() -> None:
    hoped, doubted = claim_of("1"), claim_of("1", expect="differs", why="rows exchanged")

    assert [v for v in Verdict if hoped.as_expected(v)] == [Verdict.REPRODUCED]
    assert [v for v in Verdict if doubted.as_expected(v)] == [Verdict.DIFFERS]


# scikit-learn, precision_recall_fscore_support, Examples. What it prints there as 0.22, 0.33, 0.26.
LABELS = ["cat", "dog", "pig", "cat", "dog", "pig"]
PREDICTIONS = ["cat", "pig", "dog", "cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        ("macro", (2 / 9, 1 / 3, 4 / 15)),
        ("micro", (1 / 3,) * 3),
        ("weighted", (2 / 9, 1 / 3, 4 / 15)),
    ],
)
def test_the_three_scores_are_those_of_the_documentation_of_scikit_learn(
    average: str, expected: tuple[float, ...]
) -> None:
    found = [
        compute(name, PREDICTIONS, LABELS, {"average": average})
        for name in ("precision", "recall", "f1")
    ]

    assert found == pytest.approx(expected, abs=1e-12)


def test_precision_and_recall_are_not_exchanged() -> None:
    # Of three "yes" two are right; of four that should be "yes" two were found.
    predictions, labels = ["yes", "yes", "yes", "no", "no"], ["yes", "yes", "no", "yes", "yes"]
    found = {m: compute(m, predictions, labels, {}) for m in ("precision", "recall", "f1")}

    assert found["precision"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["recall"] == pytest.approx((2 / 4 + 0) / 2)
    assert found["f1"] == pytest.approx((4 / 7 + 0) / 2)


def test_classes_are_weighted_by_how_often_they_are_the_label() -> None:
    predictions, labels = ["a", "a", "a", "a"], ["a", "a", "a", "b"]

    assert compute("recall", predictions, labels, {"average": "macro"}) == pytest.approx(1 / 2)
    assert compute("recall", predictions, labels, {"average": "weighted"}) == pytest.approx(3 / 4)
    assert compute("precision", predictions, labels, {"average": "weighted"}) == pytest.approx(
        9 / 16
    )


def test_the_correlations_are_those_of_the_documentation_of_scipy() -> None:
    # pearsonr: PearsonRResult(statistic=-0.828503883588428, ...); spearmanr: 0.8207826816681233.
    pearson = compute("pearson_r", [1, 2, 3, 4, 5, 6, 7], [10, 9, 2.5, 6, 4, 3, 2], {})
    spearman = compute("spearman_rho", [1, 2, 3, 4, 5], [5, 6, 7, 8, 7], {})

    assert pearson == pytest.approx(-0.828503883588428, abs=1e-12)
    assert spearman == pytest.approx(0.8207826816681233, abs=1e-12)


def test_ranks_correlate_where_values_do_not() -> None:
    assert compute("spearman_rho", [1, 10, 100, 1000], [1, 2, 3, 4], {}) == pytest.approx(1)
    assert compute("pearson_r", [1, 10, 100, 1000], [1, 2, 3, 4], {}) < 0.9


@pytest.mark.parametrize("metric", ["accuracy", "exact"])
def test_the_share_of_equal_values_is_counted(metric: str) -> None:
    assert compute(metric, ["a", "b", "c", "d"], ["a", "b", "c", "x"], {}) == 0.75
    assert compute(metric, [{"a": [1]}], [{"a": [1]}], {}) == 1
    assert compute(metric, [0], [0.5], {}) == 0


# 0.1 - 0.09 is more than 0.01 as floats are subtracted; 0.3 is not 0.1 + 0.2.
@pytest.mark.parametrize(
    ("value", "expected", "tolerance", "near"),
    [
        (0.09, 0.1, 0.01, True),
        (0.11, 0.1, 0.01, True),
        (0.0899, 0.1, 0.01, False),
        (0.1 + 0.2, 0.3, 0, False),
        (0.1 + 0.2, 0.3, 1e-15, True),
        (3, 2, 1, True),
        (10**400, 10**400 + 1, 1, True),
        (10**400, 10**400 + 2, 1, False),
        ([1.0, [2.04]], [1, [2]], 0.05, True),
        ([1.0, [2.06]], [1, [2]], 0.05, False),
        ({"a": 1.01, "b": "x"}, {"a": 1, "b": "x"}, 0.05, True),
        ({"a": 1.01, "b": "x"}, {"a": 1, "b": "y"}, 0.05, False),
        ({"a": 1}, {"b": 1}, 5, False),
        ([1, 2], [1], 5, False),
        (True, 1, 5, False),
        (True, False, 5, False),
        ("1", 1, 5, False),
        (None, 0, 5, False),
        (math.inf, 1.0, 5, False),
        (math.inf, math.inf, 5, True),
        (math.nan, math.nan, 5, True),
    ],
)
def test_numbers_anywhere_in_a_value_may_differ_by_the_tolerance(
    value: object, expected: object, tolerance: float, near: bool
) -> None:
    assert compute("within", [value], [expected], {"tolerance": tolerance}) == near
    assert same(value, expected, tolerance) == near


def test_without_a_tolerance_within_is_exact() -> None:
    assert compute("within", [1.0, 2.0], [1, 2.5], {}) == 0.5


THREE = {"average": "macro", "thresholds": [-0.05, 0.05]}


def test_thresholds_make_three_classes_and_the_bounds_belong_to_the_outer_two() -> None:
    values = [-1.0, -0.05, -0.0499, 0.0, 0.0499, 0.05, 1.0]
    labels = [-3, -0.1, 0, 0, 0, 0.1, 3]

    assert compute("precision", values, labels, THREE) == 1
    assert compute("recall", values, labels, {**THREE, "thresholds": [-0.04, 0.04]}) < 1
    assert compute("recall", values, labels, {**THREE, "thresholds": [-0.06, 0.06]}) < 1


def test_without_thresholds_of_their_own_labels_are_classed_by_their_sign() -> None:
    assert compute("recall", [-1, 0, 1], [-0.001, 0, 0.001], THREE) == 1
    assert compute("recall", [-1, 0, 1], [-0.001, 0.001, 0.001], THREE) < 1


def test_labels_may_have_thresholds_of_their_own() -> None:
    options = {**THREE, "label_thresholds": [-1, 1]}

    assert compute("f1", [-1, 0, 0, 0, 1], [-1, -0.9, 0, 0.9, 1], options) == 1
    assert compute("f1", [-1, 0, 0, 0, 1], [-1, -0.9, 0, 0.9, 1], THREE) < 1


def test_nought_is_neutral_even_at_a_threshold_of_nought() -> None:
    options = {"average": "macro", "thresholds": [0, 0]}

    assert compute("f1", [-0.001, 0, 0.0, 0.001], [-1, 0, 0.0, 1], options) == 1


@pytest.mark.parametrize(
    ("metric", "options", "problem"),
    [
        ("pearson_r", {"average": "macro"}, "unexpected keyword argument 'average'"),
        ("f1", {"averages": "macro"}, "unexpected keyword argument 'averages'"),
        ("f1", {"average": "mean"}, "mean"),
        ("precision", {"thresholds": [0.5]}, "not enough values to unpack"),
        ("recall", {"thresholds": [1, 2, 3]}, "too many values to unpack"),
        ("accuracy", {"thresholds": [0, 0]}, "unexpected keyword argument 'thresholds'"),
        ("within", {"tolerance": -1}, "a tolerance of -1 is no number from 0 up"),
        ("within", {"tolerance": math.nan}, "a tolerance of nan is no number from 0 up"),
        ("within", {"tolerance": "wide"}, "'>=' not supported between instances of 'str'"),
    ],
)
def test_options_that_a_metric_does_not_take_are_told(
    metric: str, options: dict[str, object], problem: str
) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"^{metric} cannot be computed: (?s:.*){problem}"
    ):
        compute(metric, [0.1, 0.2], [0.1, 0.3], options)


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_a_metric_of_nothing_is_not_defined(metric: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{metric} of no rows is not defined$"):
        compute(metric, [], [], {})


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_predictions_and_labels_are_equally_many(metric: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{metric} cannot be computed: "):
        compute(metric, [1, 2, 3], [1, 2], {})


@pytest.mark.parametrize("metric", ["pearson_r", "spearman_rho"])
def test_what_is_no_number_does_not_correlate(metric: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{metric} cannot be computed: "):
        compute(metric, [{"a": 1}, {"a": 2}], [1, 2], {})


def test_numbers_without_thresholds_are_no_classes() -> None:
    with pytest.raises(ConfigurationError, match=r"^f1 cannot be computed: .*continuous"):
        compute("f1", [0.1, 0.25], [0.1, 0.3], {})
