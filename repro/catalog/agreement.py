"""How far two models agree over the same rows; computed with SciPy and scikit-learn."""

from __future__ import annotations

import json
import warnings
from math import isfinite
from typing import TYPE_CHECKING, Any

from repro.catalog.metrics import same
from repro.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def is_number(value: object) -> bool:
    """Whether a JSON value is a number that can be compared; true is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def need_libraries() -> None:
    """Import what agreement is computed with.

    Raises
    ------
    ConfigurationError
        If it is not installed.
    """
    try:
        import scipy.stats  # noqa: F401
        import sklearn.metrics  # noqa: F401
    except ImportError as error:
        remedy = "install them: pip install 'repro-models[reproduce]'"
        raise ConfigurationError(f"agreement needs SciPy and scikit-learn; {remedy}") from error


def agreement_of_numbers(ones: Sequence[float], others: Sequence[float]) -> dict[str, Any]:
    """Compare numbers.

    Parameters
    ----------
    ones, others : sequence of float, length N
        Aligned by position.

    Returns
    -------
    dict
        ``pearson_r`` and ``spearman_rho`` in [-1, 1], None where they are not defined, as of values
        that are all equal; ``largest_difference``, absolute and in the unit of the numbers, and
        ``largest_at``, its position; None of no rows.
    """
    from scipy.stats import pearsonr, spearmanr

    apart = [abs(one - other) for one, other in zip(ones, others, strict=True)]
    largest = max(range(len(apart)), key=apart.__getitem__) if apart else None
    return {
        "pearson_r": _defined(lambda: pearsonr(ones, others).statistic),
        "spearman_rho": _defined(lambda: spearmanr(ones, others).statistic),
        "largest_difference": None if largest is None else apart[largest],
        "largest_at": largest,
    }


def agreement_of_labels(ones: Sequence[object], others: Sequence[object]) -> dict[str, Any]:
    """Compare labels, which may be any JSON values.

    Parameters
    ----------
    ones, others : sequence, length N
        Aligned by position.

    Returns
    -------
    dict
        ``equal``, the share of rows in [0, 1] where both say the same, None of no rows; and
        ``cohen_kappa`` in [-1, 1], which is 0 if no more are equal than by chance, and None where
        it is not defined, as of one label alone.
    """
    from sklearn.metrics import cohen_kappa_score

    equal = [same(one, other) for one, other in zip(ones, others, strict=True)]
    words, other_words = ([json.dumps(v, sort_keys=True) for v in side] for side in (ones, others))
    return {
        "equal": sum(equal) / len(equal) if equal else None,
        "cohen_kappa": _defined(lambda: cohen_kappa_score(words, other_words)),
    }


def _defined(compute: Callable[[], float]) -> float | None:
    """Compute a value; None where it is not defined, which the libraries say in several ways."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = float(compute())
    except (ValueError, OverflowError):
        return None
    return value if isfinite(value) else None
