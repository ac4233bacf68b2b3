"""Metrics that claims are made in, by name; computed on the host with SciPy and scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, cast

from repro.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

Metric = Callable[..., float]


def pearson_r(predictions: Sequence[float], labels: Sequence[float]) -> float:
    """Correlate predictions with labels linearly (Pearson); in [-1, 1]."""
    from scipy.stats import pearsonr

    return float(pearsonr(predictions, labels).statistic)


def spearman_rho(predictions: Sequence[float], labels: Sequence[float]) -> float:
    """Correlate the ranks of predictions and labels (Spearman); in [-1, 1]."""
    from scipy.stats import spearmanr

    return float(spearmanr(predictions, labels).statistic)


def precision(predictions: Sequence[object], labels: Sequence[object], **options: Any) -> float:
    """Compute the share of predictions of a class that are right, averaged over classes; in [0, 1].

    Parameters
    ----------
    predictions, labels : sequence, length N
        Classes, or numbers where `thresholds` are given.
    average : str
        How classes are averaged: ``"macro"``, ``"micro"`` or ``"weighted"`` (by the labels'
        counts), as in scikit-learn.
    thresholds : (low, high), optional
        Make three classes of numbers: negative at or below `low`, positive at or above `high`; 0 is
        always neutral.
    label_thresholds : (low, high)
        The same for the labels, where `thresholds` are given; (0, 0), their sign, by default.
    """
    return _three_scores(predictions, labels, **options)[0]


def recall(predictions: Sequence[object], labels: Sequence[object], **options: Any) -> float:
    """Compute the share of a class's labels that were predicted, averaged as `precision` is."""
    return _three_scores(predictions, labels, **options)[1]


def f1(predictions: Sequence[object], labels: Sequence[object], **options: Any) -> float:
    """Compute the harmonic mean of a class's precision and recall, averaged as `precision` is."""
    return _three_scores(predictions, labels, **options)[2]


def accuracy(predictions: Sequence[object], labels: Sequence[object]) -> float:
    """Compute the share of predictions that equal their label; in [0, 1]."""
    return exact(predictions, labels)


def exact(predictions: Sequence[object], labels: Sequence[object]) -> float:
    """Compute the share of predictions that equal what was expected; in [0, 1]."""
    pairs = zip(predictions, labels, strict=True)
    return sum(same(one, other) for one, other in pairs) / len(labels)


def within(
    predictions: Sequence[object], labels: Sequence[object], *, tolerance: float = 0
) -> float:
    """Compute the share of predictions that are what was expected, give or take; in [0, 1].

    Parameters
    ----------
    predictions, labels : sequence, length N
        Numbers, or JSON values with numbers in them.
    tolerance : float
        How far each number may be from the expected one, the bound included.
    """
    if isinstance(tolerance, bool) or not tolerance >= 0:  # a NaN is neither
        raise ValueError(f"a tolerance of {tolerance!r} is no number from 0 up")
    pairs = zip(predictions, labels, strict=True)
    return sum(same(one, other, tolerance) for one, other in pairs) / len(labels)


def same(one: object, other: object, tolerance: float = 0) -> bool:
    """Whether two JSON values are equal; true is not 1, while 1 is 1.0, and NaN is NaN.

    Numbers, wherever they stand, may differ by the tolerance.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k], tolerance) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in pairs)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if one == other or _both_nan(one, other):
        return True
    return bool(tolerance) and _near(one, other, tolerance)


def _both_nan(*values: object) -> bool:
    return all(isinstance(value, float) and isnan(value) for value in values)


def _near(one: object, other: object, tolerance: float) -> bool:
    """Compare as the digits stand: 0.09 is within 0.01 of 0.1, which it is not as a float."""
    if not (isinstance(one, int | float) and isinstance(other, int | float)):
        return False
    if not all(isinstance(number, int) or isfinite(number) for number in (one, other)):
        return False
    return abs(Decimal(repr(one)) - Decimal(repr(other))) <= Decimal(repr(tolerance))


METRICS: Mapping[str, Metric] = {
    "pearson_r": pearson_r,
    "spearman_rho": spearman_rho,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "accuracy": accuracy,
    "exact": exact,
    "within": within,
}


def compute(
    name: str,
    predictions: Sequence[object],
    labels: Sequence[object],
    options: Mapping[str, object],
) -> float:
    """Compute a metric by name.

    Raises
    ------
    ConfigurationError
        If the libraries are not installed, or the metric cannot be computed of these values with
        these options.
    """
    if not labels:
        raise ConfigurationError(f"{name} of no rows is not defined")
    try:
        value = METRICS[name](predictions, labels, **options)
    except ImportError as error:
        remedy = "install them: pip install 'repro-models[reproduce]'"
        raise ConfigurationError(f"{name} needs SciPy and scikit-learn; {remedy}") from error
    except (TypeError, ValueError, AttributeError) as error:  # SciPy raises all of them
        raise ConfigurationError(f"{name} cannot be computed: {error}") from error
    if not isfinite(value):
        raise ConfigurationError(f"{name} of these values is not defined")
    return value


def _three_scores(
    predictions: Sequence[object],
    labels: Sequence[object],
    *,
    average: str = "macro",
    thresholds: Sequence[float] | None = None,
    label_thresholds: Sequence[float] = (0, 0),
) -> tuple[float, float, float]:
    from sklearn.metrics import precision_recall_fscore_support

    if thresholds is not None:
        predictions = _classes(cast("Sequence[float]", predictions), thresholds)
        labels = _classes(cast("Sequence[float]", labels), label_thresholds)
    scores = precision_recall_fscore_support(
        list(labels), list(predictions), average=average, zero_division=0
    )
    return float(scores[0]), float(scores[1]), float(scores[2])


def _classes(values: Sequence[float], thresholds: Sequence[float]) -> list[str]:
    low, high = thresholds
    return [
        "positive" if v >= high and v > 0 else "negative" if v <= low and v < 0 else "neutral"
        for v in values
    ]
