"""What came of checks, as JSON, and in the XML that continuous integration reads (JUnit)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from repro.common.io import whole_file
from repro.common.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.operations.checking.findings import Check, CheckResult, Finding
    from repro.operations.checking.running import PackageReport


def as_json(report: PackageReport) -> dict[str, Any]:
    """Write a report as JSON."""
    return {
        "package": report.package,
        "level": report.level,
        "passed": report.passed,
        "seconds": round(report.seconds, 3),
        "checks": [_as_json(result) for result in report.results],
    }


def _as_json(result: CheckResult) -> dict[str, Any]:
    findings = [
        {"outcome": f.outcome, "message": f.message, "remedy": f.remedy} for f in result.findings
    ]
    return {
        "check": result.check,
        "level": result.level,
        "outcome": result.outcome,
        "seconds": result.seconds,
        "findings": findings,
    }


def write_junit(path: str, reports: Sequence[PackageReport]) -> None:
    """Write a file of JUnit's: a suite for each package, a case for each check.

    Raises
    ------
    DataFileError
        If it cannot be written.
    """
    total = {key: count for key, count in _counts(reports).items() if key != "skipped"}
    suites = ET.Element("testsuites", {"name": "repro check", **total})  # Jenkins' schema
    for report in reports:
        suite = ET.SubElement(suites, "testsuite", {"name": report.package, **_counts([report])})
        for result in report.results:
            _add_case(suite, report.package, result)
    ET.indent(suites)
    with whole_file(path) as file:
        file.write(ET.tostring(suites, encoding="utf-8", xml_declaration=True) + b"\n")


def _counts(reports: Sequence[PackageReport]) -> dict[str, str]:
    return {
        "tests": str(sum(len(report.results) for report in reports)),
        "failures": str(sum(report.count("error") for report in reports)),
        "errors": "0",
        "skipped": str(sum(report.count("skipped") for report in reports)),
        "time": f"{sum(report.seconds for report in reports):.3f}",
    }


def _add_case(suite: ET.Element, package: str, result: CheckResult) -> None:
    about = {"classname": package, "name": result.check, "time": f"{result.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", about)
    worst = [f for f in result.findings if f.outcome == result.outcome]
    told = printable("\n".join(map(sentence, result.findings)))
    if result.outcome in {"error", "skipped"}:
        tag = "failure" if result.outcome == "error" else "skipped"
        message = printable(worst[0].message).strip().partition("\n")[0]
        ET.SubElement(case, tag, {"message": message}).text = told
    elif told:
        ET.SubElement(case, "system-out").text = told


def sentence(finding: Finding) -> str:
    """Write a finding in a line or more."""
    kind = "" if finding.outcome == "passed" else f"{finding.outcome}: "
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return f"{kind}{finding.message}{remedy}"


def as_markdown(checks: Sequence[Check]) -> str:
    """Write what is checked as a table."""
    rows = [f"| `{check.name}` | {check.level} | {check.about} |" for check in checks]
    return "\n".join(["| check | level | what it does |", "|---|---|---|", *rows])
