"""Check packages: card, files, images, contract, and what was published."""

from repro.operations.checking.findings import (
    LEVELS,
    OUTCOMES,
    Check,
    CheckResult,
    Finding,
    Level,
    Outcome,
)
from repro.operations.checking.report import as_json, as_markdown, sentence, write_junit
from repro.operations.checking.running import CHECKS, PackageReport, check_packages

__all__ = [
    "CHECKS",
    "LEVELS",
    "OUTCOMES",
    "Check",
    "CheckResult",
    "Finding",
    "Level",
    "Outcome",
    "PackageReport",
    "as_json",
    "as_markdown",
    "check_packages",
    "sentence",
    "write_junit",
]
