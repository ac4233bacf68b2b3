"""What came of claims as a sentence, a page, a text and JSON: nothing lost, nothing let through."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from repro.catalog.claim import Claim, Verdict
from repro.errors import ConfigurationError, DataFileError
from repro.operations.figure import Point, matrix, scatter, stacked
from repro.operations.page import check_path
from repro.operations.report import SUFFIXES, Report, Summary, plot, write_report
from repro.operations.reproduction import ClaimResult

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script src='http://x/'>alert(\"1\")</script>|a\n# b & `c` [d](e)"


def result(reported: Any = "0.5", verdict: str = "reproduced", **others: Any) -> ClaimResult:
    about = {"model": "smith2020", "source": "Table 1", "input": {"text": "a"}, "path": "score"}
    claim = {
        key: others.pop(key) for key in list(others) if key not in {"value", "error", "lacking"}
    }
    return ClaimResult(
        claim=Claim(reported=reported, **{**about, **claim}), verdict=Verdict(verdict), **others
    )


class Seen(HTMLParser):
    """Collect (tag, attribute), and (tag, "")."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags |= {(tag, ""), *((tag, name) for name, _ in attrs)}


EACH = [
    result(value=0.5),
    result("0.7", value=0.6951),
    result("0.6", "differs", value=0.9, expect="differs", why="another tokenizer"),
    result("-3.5", "differs", value=-3.1),
    result("0.6", "reproduced", value=0.6, expect="differs", why="another tokenizer"),
    result("12000", "error", error="it raised"),
    result("0.1", "not run", error="no image"),
    result(["a", "b"], "reproduced", value=["a", "b"]),
]


@pytest.fixture
def report() -> Report:
    image = {"id": "sha256:abc", "context": "def"}
    about = {"machine": "Linux x86_64", "date": "2026-01-02T03:04:05+00:00"}
    return Report(
        results=[*EACH, result(EVIL, "differs", value=EVIL, source=EVIL, why=EVIL)],
        unread=[EVIL],
        about=about,
        images={"repro-models/smith2020:1.0": image},
    )


def test_each_claim_is_counted_once_and_what_was_not_run_is_not_left_out() -> None:
    assert str(Summary.of(EACH)) == (
        "8 claims: 4 reproduced (50.0%), 1 of them unexpectedly, 1 differ and are explained, "
        "1 differ, 1 failed, 1 not run"
    )


def test_what_lacks_data_is_not_run_and_no_surprise() -> None:
    lacking = result("0.1", "not run", error="no data", lacking=True)

    assert lacking.as_expected
    assert not result("0.1", "not run", error="no image").as_expected
    assert str(Summary.of([lacking])) == "1 claims: 0 reproduced (0.0%), 1 not run"


def test_what_there_is_none_of_is_not_named() -> None:
    assert str(Summary.of(EACH[:2])) == "2 claims: 2 reproduced (100.0%)"
    assert str(Summary.of([])) == "0 claims: 0 reproduced"


def test_a_page_asks_for_nothing_and_shows_texts_as_they_are(
    report: Report, tmp_path: Path
) -> None:
    write_report(str(tmp_path / "report.html"), report)
    text = (tmp_path / "report.html").read_text()
    seen = Seen()
    seen.feed(text)

    assert "default-src 'none'" in text
    assert not {"script", "link", "img", "iframe", "base", "use"} & {tag for tag, _ in seen.tags}
    assert not [name for _, name in seen.tags if name.startswith(("on", "src", "href", "xlink"))]
    assert "url(" not in text
    assert "&lt;script src=&#x27;http://x/&#x27;&gt;" in text
    assert "sha256:abc" in text
    assert "Linux x86_64" in text
    assert "4 reproduced (44.4%)" in text
    assert text.count("<tr>") == 1 + 9 + 1 + 1


def test_a_plot_has_a_point_for_each_number_axes_with_labels_and_a_legend() -> None:
    root = ET.fromstring(plot(EACH))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    points = [element.text for element in root.iter(f"{SVG}title")]

    assert {"reported value", "reproduced value"} <= set(texts)
    assert {"reproduced (2)", "differs, explained (1)", "not as expected (2)"} <= set(texts)
    assert {"-1", "0", "1"} <= set(texts)
    assert len(points) == 5
    assert points[1] == "smith2020, Table 1: reported 0.7, reproduced 0.695"


def test_a_report_in_markdown_has_a_line_for_each_claim(report: Report, tmp_path: Path) -> None:
    write_report(str(tmp_path / "report.md"), report)
    lines = (tmp_path / "report.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| smith2020 ")]

    assert len(rows) == 9
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {10}
    assert "\\<script" in rows[-1]
    assert "<script" not in re.sub(r"\\.", "", "\n".join(lines))


def test_a_report_in_json_has_everything(report: Report, tmp_path: Path) -> None:
    write_report(str(tmp_path / "report.json"), report)
    content = json.loads((tmp_path / "report.json").read_text())

    assert content["summary"] == {
        "claims": 9,
        "reproduced": 4,
        "explained": 1,
        "differing": 2,
        "failed": 1,
        "not_run": 1,
        "surprises": 1,
    }
    assert [claim["verdict"] for claim in content["claims"]] == [
        r.verdict.value for r in report.results
    ]
    assert content["images"]["repro-models/smith2020:1.0"]["id"] == "sha256:abc"
    assert content["unread"] == [EVIL]


def test_a_suffix_that_says_nothing_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"^report\.pdf: a report ends in \.html or \.md"):
        check_path("report.pdf", "report", SUFFIXES)


def test_a_folder_that_is_not_there_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    check_path(str(tmp_path / "report.html"), "report", SUFFIXES)

    for name in ("a.html", "nowhere/report.html"):
        with pytest.raises(DataFileError, match="is a folder, or in one that is not there"):
            check_path(str(tmp_path / name), "report", SUFFIXES)


@pytest.mark.parametrize("powers", [True, False])
@pytest.mark.parametrize(
    "values", [[], [0.0], [3.0, 3.0], [-1e6, 1e-6], [0.1, 0.2], [1e300, -1e300], [7.0, 12000.0]]
)
def test_any_numbers_can_be_drawn_within_the_axes(values: list[float], powers: bool) -> None:
    points = [Point(x=value, y=value, title=EVIL) for value in values]
    root = ET.fromstring(scatter(EVIL, points, (EVIL, EVIL), powers=powers))
    circles = [(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in root.iter(f"{SVG}circle")]

    assert len(circles) == len(values)
    assert all(90 <= x <= 510 and 40 <= y <= 460 for x, y in circles)
    assert [element.text for element in root.iter(f"{SVG}title")] == [EVIL] * len(values)


def test_how_often_labels_met_is_drawn_as_a_table() -> None:
    drawn = matrix(
        "a and b", ("b", "a"), ["de", EVIL], ["de"], {("de", "de"): 1234, (EVIL, "de"): 1}
    )
    root = ET.fromstring(stacked([drawn, drawn]))
    texts = [element.text for element in root.iter(f"{SVG}text")]

    assert texts.count("1,234") == 2
    assert texts.count(EVIL[:12]) == 2
