"""What is compared of predictions, how far models agree, and how it is drawn."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from repro.__main__ import _run
from repro.catalog.agreement import agreement_of_labels, agreement_of_numbers, is_number
from repro.commands.cli import cli
from repro.commands.compare import _by_model
from repro.errors import ConfigurationError
from repro.operations.comparison import Compared, Comparison, ComparisonJob
from repro.operations.comparison_plot import write_plot
from repro.operations.paths import plain_paths
from repro.operations.values import MISSING, Values, agreement, choose, value_of

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"

# scikit-learn's own example of Cohen's kappa: sklearn/metrics/tests/test_classification.py,
# test_cohen_kappa, after Artstein and Poesio (2008): 0.348.
ONES = [0] * 40 + [1] * 60
OTHERS = [0] * 20 + [1] * 20 + [0] * 10 + [1] * 50


def test_kappa_is_the_published_one() -> None:
    found = agreement_of_labels(ONES, OTHERS)

    assert found["equal"] == 0.7
    assert found["cohen_kappa"] == pytest.approx(0.348, abs=0.0005)


@pytest.mark.parametrize(
    ("ones", "others", "equal", "kappa"),
    [
        (["a", "b"], ["a", "b"], 1.0, 1.0),
        (["a", "b"], ["b", "a"], 0.0, -1.0),
        (["a", "a"], ["a", "a"], 1.0, None),  # chance alone gives the same
        ([True, None], [1, None], 0.5, 1 / 3),
        ([["a"], {"b": 1}], [["a"], {"b": 1.0}], 1.0, 1 / 3),
        ([], [], None, None),
    ],
)
def test_labels_of_any_kind_agree_if_they_are_equal(
    ones: list[Any], others: list[Any], equal: float | None, kappa: float | None
) -> None:
    found = agreement_of_labels(ones, others)

    assert found["equal"] == equal
    assert found["cohen_kappa"] == (kappa if kappa is None else pytest.approx(kappa))


def test_numbers_correlate_and_their_largest_difference_is_found() -> None:
    found = agreement_of_numbers([1.0, 2.0, 3.0, 4.0], [1.0, 2.5, 3.0, 10.0])

    assert found["spearman_rho"] == pytest.approx(1.0)
    assert 0.8 < found["pearson_r"] < 1.0
    assert (found["largest_difference"], found["largest_at"]) == (6.0, 3)


@pytest.mark.parametrize("numbers", [[], [1.0], [2.0, 2.0, 2.0]])
def test_a_correlation_that_is_not_defined_is_none(numbers: list[float]) -> None:
    found = agreement_of_numbers(numbers, numbers)

    assert found["pearson_r"] is found["spearman_rho"] is None
    assert found["largest_difference"] == (0.0 if numbers else None)


@pytest.mark.parametrize(
    ("value", "number"), [(1, True), (0.5, True), (True, False), ("1", False), (nan, False)]
)
def test_what_a_number_is(value: object, number: bool) -> None:
    assert is_number(value) == number
    assert not is_number(inf)


@pytest.mark.parametrize(
    ("prediction", "paths"),
    [
        ("en", [""]),
        (None, [""]),
        ({"a": 1, "b": {"c": "x", "d": [1]}}, ["a", "b.c"]),
        ([1, 2], []),
        ({}, []),
    ],
)
def test_plain_values_are_found_in_what_is_nested(prediction: Any, paths: list[str]) -> None:
    assert plain_paths(prediction) == paths


def test_by_default_the_plain_values_are_compared_that_all_have() -> None:
    one, other = {"a": 1, "b": "x", "c": 2}, {"b": "y", "c": 3, "d": [4]}
    both = {"m": "", "n": ""}

    assert choose({"m": one, "n": other}, (), {}) == {
        "b": {"m": "b", "n": "b"},
        "c": {"m": "c", "n": "c"},
    }
    assert choose({"m": "x", "n": "y"}, (), {}) == {"": both}
    assert choose({"m": ["x"], "n": ["y"]}, (), {}) == {"": both}
    assert choose({"m": "x", "n": MISSING}, (), {}) == {"": both}
    assert choose({"m": MISSING, "n": MISSING}, (), {}) == {"": both}


def test_a_model_may_have_a_path_of_its_own() -> None:
    said = {"m": "en", "n": {"language": "en"}}

    assert choose(said, (), {"n": "language"}) == {"language": {"m": "", "n": "language"}}


def test_a_path_that_leads_nowhere_is_told_with_those_there_are() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^n: the prediction has nothing at 'compond'; it has compound"
    ):
        choose({"m": MISSING, "n": {"compound": 1}}, ("compond",), {})
    with pytest.raises(ConfigurationError, match=r"it is one value, without a path$"):
        choose({"m": "x"}, ("compound",), {})


def test_what_is_missing_is_counted_out() -> None:
    said: list[Any] = [{"a": 1.0}, {}, MISSING, {"a": 4.0}]
    values = Values(
        name="a", of={"m": [value_of(one, "m", "a") for one in said], "n": [1.0, 2.0, 3.0, 5.0]}
    )
    (found,) = agreement(values, ["w", "x", "y", "z"])

    assert values.numbers
    assert (found["rows"], found["largest_difference"], found["instance_id"]) == (2, 1.0, "z")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"models": (Compared(name="m"),)}, "two or more models, each named once"),
        ({"models": (Compared(name="m"), Compared(name="m"))}, "each named once"),
        (
            {"models": (Compared(name="m", path="a"), Compared(name="n")), "paths": ("a", "b")},
            "the others have one",
        ),
        (
            {"models": (Compared(name="m"), Compared(name="n")), "output": "out.txt"},
            "write jsonl or csv",
        ),
    ],
)
def test_a_comparison_that_cannot_be_is_told(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        ComparisonJob(**given)


def test_what_is_about_one_model_has_its_name_before_it() -> None:
    words = ["a=b", "m:a=b", "x:a=b", "n:c:d=e"]

    assert _by_model(words, ["m", "n"]) == {"": ["a=b", "x:a=b"], "m": ["a=b"], "n": ["c:d=e"]}
    assert _by_model(["m@x=:1:path", "m:path"], ["m", "m@x=:1"]) == {
        "": [],
        "m": ["path"],
        "m@x=:1": ["path"],
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lui2012-langid"], "two or more models"),
        (["lui2012-langid", "tutorial-model"], "of several tasks: lui2012-langid of language-id"),
        (["lui2012-langid", "lui2012-langd"], "did you mean 'lui2012-langid'"),
        (
            ["lui2012-langid", "joulin2017-lid", "--load-option", "languges=1"],
            "takes no option 'languges'; did you mean 'languages'",
        ),
        (
            ["lui2012-langid", "joulin2017-lid", "--option", "joulin2017-lid:k=0"],
            "option 'k' of joulin2017-lid",
        ),
        (["lui2012-langid", "lui2012-langid"], "each named once"),
        (["lui2012-langid", "lui2012-langid@languages"], "lui2012-langid wants NAME=VALUE"),
        (
            ["lui2012-langid", "lui2012-langid@languges=1"],
            "takes no option 'languges'; did you mean 'languages'",
        ),
        (["joulin2017-lid", "joulin2017-lid@k=0"], "option 'k' of joulin2017-lid"),
        (["lui2012-langid", "joulin2017-lid", "--rename", "txt=text"], "is to be renamed"),
        (["lui2012-langid", "joulin2017-lid", "--plot", "a.png"], "ends in .html or .svg"),
        (["lui2012-langid", "joulin2017-lid"], "field 'lang' is not one of its fields"),
    ],
)
def test_a_slip_is_told_before_anything_is_started(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    (tmp_path / "rows.jsonl").write_text('{"text": "a", "lang": "de"}\n')

    status = _run(cli, ["compare", *words, "--input", str(tmp_path / "rows.jsonl")])
    data, talk = capfd.readouterr()

    assert (status, data) == (2, "")
    assert said in talk


def test_numbers_are_drawn_as_points_and_labels_as_counts(tmp_path: Path) -> None:
    labels = [f"<{number}>" for number in range(20)]
    values = [
        Values(name="score", of={"m": [1.0, 2.0, MISSING], "n": [1.5, 2.5, 3.0]}),
        Values(name="label", of={"m": labels, "n": labels[::-1]}),
    ]
    comparison = Comparison(
        rows=20, values=values, models=["m", "n"], failures={"o": "<it> was not there"}
    )
    comparison.agreement = [a for v in values for a in agreement(v, list(map(str, range(20))))]
    for name in ("plot.svg", "plot.html"):
        write_plot(str(tmp_path / name), comparison)
    root = ET.parse(tmp_path / "plot.svg").getroot()
    texts = [element.text for element in root.iter(f"{SVG}text")]
    page = (tmp_path / "plot.html").read_text()

    assert len(list(root.iter(f"{SVG}circle"))) == 2
    assert {"m and n: score", "m and n: label", "(others)"} <= set(texts)
    assert "&lt;it&gt; was not there" in page
    assert page.count("<svg") == 2
    assert "default-src 'none'" in page
