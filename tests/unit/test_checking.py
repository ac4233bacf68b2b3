"""`repro check` without an engine: a planted fault for each check that reads files alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from repro.catalog.claim import Claim, Verdict
from repro.catalog.metrics import same
from repro.commands.cli import cli
from repro.operations.checking import (
    CHECKS,
    Check,
    CheckResult,
    Finding,
    Outcome,
    as_markdown,
    buildfile,
    running,
)
from repro.operations.checking.card import SECTIONS, readme
from repro.operations.checking.dockerfile import (
    commands,
    goes_on_after_failure,
    instructions,
    stops_at_failure,
)
from repro.operations.checking.findings import Skip
from repro.operations.checking.full import _unexpected
from repro.operations.checking.subject import Subject
from repro.operations.examples import ExampleResult
from repro.operations.reproduction import ClaimResult

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}

CARD = """
version = "1.0"
title   = "Sample"
summary = "A package of the tests"
license = "Apache-2.0"
upstream = "samples 1.0"
publish = true

[paper]
title   = "Of Samples"
authors = ["Jane AUTHOR"]
year    = 2020
url     = "https://example.org/samples"
doi     = "10.1000/182"

[models.PACKAGE-model]
class = "Sample"
task  = "text-transformation"

[[claims]]
model    = "PACKAGE-model"
input    = { text = "abc" }
reported = "abc"
source   = "Table 1"
"""

README = """
# Sample

`PACKAGE-model`

## Input and output
## Usage
repro setup PACKAGE, repro reproduce PACKAGE
## What is claimed
## Differences from the paper
## Licence
## Citation
"""

DOCKERFILE = """ARG BASE
FROM ${BASE}
COPY requirements.txt /tmp/
RUN set -eu; \\
    apt-get update -q; \\
    # a comment within
    apt-get install -y -q 'perl=5.36.0-*'; \\
    pip install -q --no-deps --require-hashes -r /tmp/requirements.txt; \\
    rm -rf /tmp/* /var/lib/apt/lists/*
COPY src/ .
RUN python -m compileall -q . && python -c 'print(1)'
"""

CLASSES = """
from repro.models import DockerModel, Model

@Model.register("PACKAGE-model")
class Sample(DockerModel):
    def predict(self, text: str) -> str:
        return self.answer(text=text)
"""

GOOD = {
    "model.toml": CARD,
    "Readme.md": README,
    "Dockerfile": DOCKERFILE,
    "more.in": "-r requirements.txt\nidna\n",  # which nothing installs
    "requirements.txt": "six==1.16.0 \\\n    --hash=sha256:8abb2f1d\n",
    "examples.jsonl": '{"model": "PACKAGE-model", "input": {"text": "a"}, "output": "a"}\n',
    "src/run.py": "",
    "src/prepare.sh": "#!/bin/sh\n# What it does.\nset -eu\nfalse\n",
}
# Nothing is wrong with it, though a check might think so.
UNUSUAL = """# What it is.
ARG BASE

FROM ${BASE} AS build
ARG NAME=tool
RUN set -eux; \\
    # a comment within
    mkdir -p /out/opt; \\
    for n in a b; do \\
      printf '%s\\n' "$n" > "/out/opt/$n"; \\
    done
COPY --chown=0:0 requirements.txt /tmp/some.txt
RUN pip install -q --no-deps --require-hashes -r /tmp/some.txt > /dev/null 2>&1 \\
 && (cd /out && tar --exclude=./x -cf /out.tar "./$(basename opt)") \\
 && find /out -name a -exec rm {} \\; \\
 && rm -rf /root/.cache

FROM ${BASE}
ENV TOOL=/opt/tool \\
    PYTHONDONTWRITEBYTECODE=1
COPY --from=build /out.tar /tmp/
RUN ["tar", "-xf", "/tmp/out.tar", "-C", "/"]
RUN echo 'pip install six; is not run' && if [ -e /opt/a ]; then echo yes; else echo no; fi
RUN curl -fsS https://example.org/model -o /opt/model \\
 && echo "0  /opt/model" | sha256sum -c - || { echo wrong; exit 1; }
RUN git clone -q https://example.org/six /opt/six \\
 && git -C /opt/six checkout -q 0123456789abcdef0123456789abcdef01234567
RUN conda install -y -c other numpy=1.26 && npm install -g @some/tool@1.0.0
COPY src/ .
"""
SCRATCH = "FROM scratch\nCOPY --from=example.org/tool:1.0 /tool /\nCOPY src/ /app/\n"
MODEL = '[models.PACKAGE-other]\nclass = "Sample"\ntask = "text-transformation"\n'
LOCK = (
    'lock = 1\npackage = "PACKAGE"\nversion = "1.0"\nplatform = "linux/amd64"\n'
    '[[images]]\nname = "PACKAGE"\ncontext = "' + "0" * 64 + '"\n'
)
PUBLISHED = LOCK + '[images.published]\n"ghcr.io/lab/PACKAGE" = "sha256:' + "0" * 64 + '"\n'

# By the name of the package: the file, what is replaced in it by what, the check, what it says.
FAULTS: dict[str, tuple[str, str, str, str, str, str]] = {
    "unknown": ("model.toml", "publish =", "publsih =", "card.schema", "error", "publsih"),
    "nameless": ("model.toml", "Jane AUTHOR", "Jim Roe", "card.names", "error", "first author"),
    "yearless": ("model.toml", "= 2020", "= 2019", "card.names", "error", "says 2019"),
    "unlicensed": ("model.toml", "Apache-2.0", "Apache", "card.licence", "error", "Apache"),
    "small": ("model.toml", "Apache-2.0", "apache-2.0", "card.licence", "warning", "Apache-2.0"),
    "doi": ("model.toml", "10.1000", "doi.org/10.1000", "card.paper", "error", "no DOI"),
    "url": ("model.toml", "https://", "", "card.paper", "error", "no URL"),
    "published": ("image.lock", "", PUBLISHED, "card.version", "error", "was published"),
    "locked": ("image.lock", "", LOCK, "card.version", "warning", "image.lock"),
    "sectionless": ("Readme.md", "## Licence", "", "card.readme", "error", "'Licence'"),
    "silent": ("Readme.md", "repro setup", "", "card.readme", "error", "repro setup"),
    "renaming": (
        "Readme.md",
        "# Sample",
        "`PACKAGE-old`",
        "card.readme",
        "error",
        "renaming2020-old, which is no model",
    ),
    "begun": ("src/run.py", "", "# Replace this: load it.", "card.finished", "error", "src/run.py"),
    "asked": (
        "model.toml",
        '"Apache-2.0"',
        '"LicenseRef-unknown"',
        "card.finished",
        "error",
        "licence is not known",
    ),
    "ticked": ("Readme.md", "# Sample", "- [x] done", "card.readme", "error", "by hand"),
    "example": (
        "model.toml",
        "[[claims]]",
        MODEL + "[[claims]]",
        "card.examples",
        "error",
        "other",
    ),
    "claimless": (
        "model.toml",
        "[[claims]]",
        MODEL + "[[claims]]",
        "card.claims",
        "warning",
        "no cl",
    ),
    "caseless": (
        "model.toml",
        'input    = { text = "abc" }\nreported = "abc"',
        'cases = "claims/none.jsonl"\nmetric = "exact"\nreported = "1"',
        "card.claims",
        "error",
        "claims/none.jsonl",
    ),
    "obtained": (
        "model.toml",
        'input    = { text = "abc" }\nreported = "abc"',
        'cases = "claims/none.jsonl"\nobtain = "elsewhere"\nmetric = "exact"\nreported = "1"',
        "card.claims",
        "skipped",
        "claims/none.jsonl",
    ),
    "stale": ("ledger.json", "", '{"card_sha256": "0"}', "card.ledger", "warning", "another card"),
    "latest": ("Dockerfile", "${BASE}", "debian:latest", "file.parent", "error", "debian:latest"),
    "tagless": ("Dockerfile", "${BASE}", "debian", "file.parent", "error", "no tag"),
    "apt": (
        "Dockerfile",
        "perl=5.36.0-*",
        "perl",
        "file.pins",
        "error",
        "line 4: apt installs perl",
    ),
    "argued": (
        "Dockerfile",
        "RUN set -eu; \\\n    apt-get update -q; \\\n",
        'ARG WANTED="gawk=1:5 make" OTHER\nRUN set -eu; apt-get install ${WANTED} $OTHER; \\\n',
        "file.pins",
        "error",
        "line 5: apt installs make",
    ),
    "pip": (
        "Dockerfile",
        "-r /tmp/requirements.txt",
        "six==1.16",
        "file.pins",
        "error",
        "six==1.16",
    ),
    "version": (
        "requirements.txt",
        "six==1.16.0",
        "six>=1",
        "file.pins",
        "error",
        "in any version",
    ),
    "hash": ("requirements.txt", "--hash=sha256:8abb2f1d", "", "file.pins", "error", "no hash"),
    "variable": (
        "Dockerfile",
        "-r /tmp/requirements.txt",
        "-r /tmp/$requirements.txt -r /tmp/more-${x}.txt",
        "file.pins",
        "warning",
        "more-${x}.txt is no file of the package",
    ),
    "listed": (
        "Dockerfile",
        "RUN python -m compileall",
        'RUN ["pip", "install", "six==1.16"]\nRUN python -m compileall',
        "file.pins",
        "error",
        "line 11: pip installs six==1.16",
    ),
    "nested": (
        "Dockerfile",
        "python -m compileall",
        'sh -c "pip install six" && python -m compileall',
        "file.pins",
        "error",
        "line 11: pip installs six",
    ),
    "scripted": (
        "src/prepare.sh",
        "false",
        "pip install \\\n  six 2>&1 | cat",
        "file.pins",
        "error",
        "src/prepare.sh, line 4: pip installs six",
    ),
    "address": (
        "Dockerfile",
        "-r /tmp/requirements.txt",
        "https://example.org/six.tar.gz",
        "file.pins",
        "error",
        "six.tar.gz without a hash",
    ),
    "including": (
        "requirements.txt",
        "six==1.16.0",
        "-r more.in\nsix==1.16.0",
        "file.pins",
        "error",
        "more.in: idna in any version",
    ),
    "renamed": (
        "Dockerfile",
        "RUN set -eu; \\\n",
        "COPY more.in /tmp/some.txt\nRUN set -eu; \\\n    pip install -r /tmp/some.txt; \\\n",
        "file.pins",
        "error",
        "more.in: idna in any version",
    ),
    "conda": (
        "Dockerfile",
        "python -m compileall",
        "conda install -y -c other numpy=1.26 scipy && python -m compileall",
        "file.pins",
        "error",
        "conda installs scipy in any version",
    ),
    "added": (
        "Dockerfile",
        "COPY src/ .",
        "# hadolint ignore=DL3020\nADD https://example.org/model.bin /opt/\nCOPY src/ .",
        "file.fetched",
        "warning",
        "line 11: what ADD fetches",
    ),
    "fetched": (
        "src/prepare.sh",
        "false",
        "wget -q https://example.org/model.bin",
        "file.fetched",
        "warning",
        "src/prepare.sh, line 4: what wget fetches",
    ),
    "cloned": (
        "Dockerfile",
        "python -m compileall",
        "git clone -q https://example.org/six && python -m compileall",
        "file.fetched",
        "warning",
        "git clones what is there today",
    ),
    "copied": (
        "Dockerfile",
        "COPY src/ .",
        "# hadolint ignore=DL3022\nCOPY --from=busybox /bin/sh /bin/\nCOPY src/ .",
        "file.parent",
        "error",
        "busybox has no tag",
    ),
    "mounting": (
        "Dockerfile",
        "RUN python",
        "RUN --mount=type=cache,target=/tmp/cache python",
        "file.builder",
        "error",
        "line 11: --mount needs BuildKit",
    ),
    "misfit": (
        "examples.jsonl",
        '{"text": "a"}',
        '{"txet": "a"}',
        "card.examples",
        "error",
        "did you mean 'text'",
    ),
    "claiming": (
        "model.toml",
        '{ text = "abc" }',
        '{ txet = "abc" }',
        "card.claims",
        "error",
        "a claim of Table 1: instance 0",
    ),
    "failing": ("Dockerfile", "set -eu; ", "", "file.failures", "error", "line 4"),
    "script": ("src/prepare.sh", "set -eu", "", "file.failures", "error", "src/prepare.sh"),
    "home": ("Dockerfile", "COPY src/ .", "COPY src/ /root/", "file.root", "error", "/root"),
    "linted": ("Dockerfile", "COPY src/ .", "ADD src/ .", "file.lint", "error", "DL3020"),
}


def fault(library: Any, name: str) -> None:
    """Put a package with one fault into the copy; without a fault if it is not listed."""
    package = f"{name}2020"
    files = {**GOOD}
    if name in FAULTS:
        file, old, new, *_ = FAULTS[name]
        assert old in files.get(file, ""), "the fault is planted"
        files[file] = files.get(file, "").replace(old, new, 1) if old else new
    if name in {"example", "claimless"}:
        files["Readme.md"] += "`PACKAGE-other`"
    if name == "claimless":
        files["examples.jsonl"] += files["examples.jsonl"].replace("-model", "-other")
    told = {
        file: text.replace("PACKAGE", package).replace("AUTHOR", name.title())
        for file, text in files.items()
    }
    classes = CLASSES + CLASSES.replace("-model", "-other") * (name in {"example", "claimless"})
    library.add(package, told, classes.replace("PACKAGE", package))


@pytest.fixture(scope="module", name="found")
def _found(library: Any) -> dict[str, dict[str, Any]]:
    """What a check of all packages, with a fault each, finds; by package and by check."""
    for name in (
        *FAULTS,
        "good",
        "unusual",
        "scratch",
        "unregistered",
        "broken",
        "empty",
        "fileless",
        "linked",
    ):
        fault(library, name)
    (library.folder / "models" / "unusual2020" / "Dockerfile").write_text(UNUSUAL)
    (library.folder / "models" / "scratch2020" / "Dockerfile").write_text(SCRATCH)
    (library.folder / "models" / "empty2020" / "Dockerfile").write_text("")
    (library.folder / "models" / "fileless2020" / "Dockerfile").unlink()
    (library.folder / "models" / "linked2020" / "src" / "link").symlink_to("/etc/hostname")
    code = library.folder / "repro" / "models"
    (code / "unregistered2020" / "__init__.py").write_text("")
    (code / "broken2020" / "__init__.py").write_text("import nothing_of_that_name")
    measure = (
        "import json, pathlib\n"
        "from repro.catalog import find_package\n"
        "from repro.engine.recipe import recipe_of\n"
        "card = find_package('good2020')\n"
        "context = recipe_of(card, namespace='x').digest()\n"
        "images = {'elsewhere/good2020:1.0': {'context': context}}\n"
        "ledger = {'card_sha256': card.digest, 'images': images, 'date': '2020-02-02'}\n"
        "(card.folder / 'ledger.json').write_text(json.dumps(ledger))\n"
    )
    assert library.python(["-c", measure]).returncode == 0
    report = library.folder / "report.xml"

    done = library.repro(
        "check", "--all", "--level", "card", "--json", "--junit", str(report), **NOWHERE
    )

    assert done.returncode == 1, done.stderr
    return {
        one["package"]: {check["check"]: check for check in one["checks"]}
        for one in json.loads(done.stdout)
    }


def wrong(checks: dict[str, Any]) -> set[str]:
    return {name for name, check in checks.items() if check["outcome"] in {"error", "warning"}}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_by_its_check(found: dict[str, dict[str, Any]], name: str) -> None:
    *_, check, outcome, words = FAULTS[name]
    checks = found[f"{name}2020"]

    assert checks[check]["outcome"] == outcome
    assert any(words in finding["message"] for finding in checks[check]["findings"])
    assert wrong(checks) - {check} <= {"card.ledger", "card.claims", "file.lint"}


def test_a_package_without_a_fault_passes_all(found: dict[str, dict[str, Any]]) -> None:
    checks = found["good2020"]

    assert wrong(checks) == set()
    assert {name for name, check in checks.items() if check["outcome"] == "skipped"} == {
        "card.version"  # there is nothing to compare with
    }
    assert list(checks) == [check.name for check in CHECKS if check.level == "card"]
    assert checks["card.ledger"]["findings"][0]["message"] == "measured on 2020-02-02"


@pytest.mark.parametrize("package", ["unusual2020", "scratch2020"])
def test_a_package_that_is_right_and_unusual_passes_what_looks_at_its_files(
    found: dict[str, dict[str, Any]], package: str
) -> None:
    checks = found[package]

    assert {name: check["findings"] for name, check in checks.items() if "file." in name} == {
        check.name: [] for check in CHECKS if check.name.startswith("file.")
    }


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("unregistered2020", "registers no model of that name"),
        ("broken2020", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ],
)
def test_a_class_that_is_not_there_is_told(
    found: dict[str, dict[str, Any]], package: str, words: str
) -> None:
    (finding,) = found[package]["card.classes"]["findings"]

    assert finding["outcome"] == "error"
    assert words in finding["message"]


def test_a_class_that_cannot_be_imported_is_not_told_to_be_registered(
    found: dict[str, dict[str, Any]],
) -> None:
    told = {name: found[name]["card.classes"]["findings"] for name in found}

    assert wrong(found["broken2020"]) == {"card.classes", "card.ledger"}
    assert "@Model.register" in str(told["unregistered2020"])
    assert "@Model.register" not in str(told["broken2020"])


def test_a_dockerfile_without_a_parent_and_files_that_cannot_be_read_are_told_once(
    found: dict[str, dict[str, Any]],
) -> None:
    (parentless,) = found["empty2020"]["file.parent"]["findings"]

    assert "there is no parent" in parentless["message"]
    for package in ("fileless2020", "linked2020"):
        outcomes = [f["outcome"] for c in found[package].values() for f in c["findings"]]
        assert outcomes.count("error") == 1
        assert found[package]["file.pins"]["outcome"] == "skipped"


def test_what_cannot_be_looked_at_without_a_card_is_skipped(
    found: dict[str, dict[str, Any]],
) -> None:
    first, *others = found["unknown2020"].values()

    assert (first["check"], first["outcome"]) == ("card.schema", "error")
    assert {check["outcome"] for check in others} == {"skipped"}
    assert {f["message"] for c in others for f in c["findings"]} == {"the card cannot be read"}


# Jenkins' schema (jenkinsci/xunit-plugin, junit-10.xsd), which others read as well.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "disabled", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "time", "skipped", "timestamp"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "skipped", "system-out"},
}


def test_the_xml_is_what_continuous_integration_expects(
    found: dict[str, dict[str, Any]], library: Any
) -> None:
    root = ET.parse(library.folder / "report.xml").getroot()

    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    assert [suite.get("name") for suite in root] == list(found)
    for suite in root:
        checks = found[str(suite.get("name"))]
        assert [case.get("name") for case in suite] == list(checks)
        for case, check in zip(suite, checks.values(), strict=True):
            tags = {child.tag for child in case}
            assert ("failure" in tags) == (check["outcome"] == "error")
            assert ("skipped" in tags) == (check["outcome"] == "skipped")
        assert int(suite.get("failures", -1)) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped", -1)) == len(suite.findall("testcase/skipped"))
        assert int(suite.get("tests", -1)) == len(suite)
    assert int(root.get("tests", -1)) == sum(map(len, found.values()))


def test_a_package_is_told_in_a_table_and_several_without_what_has_passed(library: Any) -> None:
    for name in ("good", "unlicensed"):
        if not (library.folder / "models" / f"{name}2020").exists():
            fault(library, name)

    one = library.repro("check", "good2020", "--level", "card", **NOWHERE)
    two = library.repro("check", "unlicensed2020", "good2020", "--level", "card", **NOWHERE)

    assert one.returncode == 0, one.stderr
    assert one.stdout.splitlines()[0].startswith("good2020: ")
    assert all(check.name in one.stdout for check in CHECKS if check.level == "card")
    assert two.returncode == 1
    assert "card.names" not in two.stdout
    assert "Unknown license: 'apache'" in two.stdout
    assert two.stdout.splitlines()[-1] == "2 packages, 1 passed, wrong: unlicensed2020"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--level", "card"], 2, "name packages, or give --all, and not both"),
        (["godo2020", "--level", "card"], 2, "did you mean 'good2020'"),
        (["good2020"], 3, "no container engine at unix:///nowhere/docker.sock"),
    ],
)
def test_what_cannot_be_checked_is_an_error_of_the_caller_or_of_the_machine(
    library: Any, words: list[str], status: int, told: str
) -> None:
    if not (library.folder / "models" / "good2020").exists():
        fault(library, "good")

    done = library.repro("check", *words, **NOWHERE)

    assert done.returncode == status
    assert told in done.stderr
    assert done.stdout == ""


def test_a_folder_of_packages_that_cannot_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "models").touch()
    monkeypatch.setattr("repro.catalog.places._share", lambda: tmp_path)

    done = CliRunner().invoke(cli, ["check", "--all", "--level", "card"])

    assert done.exit_code == 2
    assert f"{tmp_path / 'models'}: the folder: Not a directory" in done.stderr
    assert done.stdout == "0 packages, 0 passed\n"


def test_a_linter_that_is_not_installed_is_told_and_nothing_has_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    with pytest.raises(Skip, match=r"not installed: hadolint; pip install 'repro-models\[check\]'"):
        buildfile._linter()


def test_each_check_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.about.endswith(".") for check in CHECKS)


def test_the_table_in_the_documentation_is_that_of_the_checks() -> None:
    text = (ROOT / "docs" / "checking.md").read_text(encoding="utf-8")

    assert as_markdown(CHECKS) in text, f"put this into docs/checking.md:\n{as_markdown(CHECKS)}"


def test_the_sections_that_are_looked_for_are_those_of_the_template() -> None:
    text = (ROOT / "models" / "Template.md").read_text(encoding="utf-8")

    assert tuple(line[3:] for line in text.splitlines() if line.startswith("## ")) == SECTIONS


def test_a_dockerfile_is_read_with_its_lines_joined_and_its_comments_left_out() -> None:
    found = instructions(DOCKERFILE)

    assert [(step.line, step.name) for step in found] == [
        *((1, "ARG"), (2, "FROM"), (3, "COPY"), (4, "RUN"), (10, "COPY"), (11, "RUN"))
    ]
    assert [words[0] for words in commands(found[3].value)] == [
        *("set", "apt-get", "apt-get", "pip", "rm")
    ]


@pytest.mark.parametrize(
    ("command", "goes_on"),
    [
        ("a", False),
        ("a && b || c", False),
        ("a | b", False),
        ("echo 'a; b'", False),
        ("a; b", True),
        ("a & b", True),
        ("set -e; a; b", False),
        ("set -o errexit; a; b", False),
        ("set -x; a; b", True),
        ("a;", False),
        ("a && (b; c)", True),
        ("(cd a && b)", False),
        ("a $(b) && c", False),
        ("a > /dev/null 2>&1 && b", False),
        ("find . -exec rm {} \\; && a", False),
        ("find . -exec rm {} ';'", False),
        ("a && if b; then c; else d; fi", False),
        ("if a; then b; c; fi", True),
        ("for a in b c; do d; done", True),
        ("a || { echo no; exit 1; }", False),
        ("a; exit 0", True),
        ("a; thenceforth", True),
        ("set -eu; if a; then b; fi", False),
        ("it is 'not ended; b", False),
    ],
)
def test_a_line_of_a_shell_goes_on_after_a_failure_or_not(command: str, goes_on: bool) -> None:
    assert goes_on_after_failure(command) == goes_on


@pytest.mark.parametrize("line", ["set -e", "  set -eu", "set -u -o errexit", "set -ex; true"])
def test_a_script_stops_at_a_failure_if_it_asks_for_that(line: str) -> None:
    assert stops_at_failure(line)


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "equal"),
    [
        (1, 1.0, 0.0, True),
        (1, True, 0.0, False),
        (0.5, 0.5000001, 0.0, False),
        (0.5, 0.5000001, 1e-6, True),
        ({"a": [1, 2]}, {"a": [1, 2.0000001]}, 1e-6, True),
        ({"a": [1, 2]}, {"a": [1]}, 1e-6, False),
        ({"a": 1}, {"b": 1}, 1e-6, False),
        ("1", 1, 1.0, False),
        (None, None, 0.0, True),
        ([float("nan")], [float("nan")], 0.0, True),
        (float("nan"), 0.5, 1e-6, False),
    ],
)
def test_two_answers_agree_within_the_tolerance_of_the_card(
    one: Any, other: Any, tolerance: float, equal: bool
) -> None:
    assert same(one, other, tolerance) == equal


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({"prediction": 0.5}, True),
        ({"prediction": 0.5000001}, False),
        ({"prediction": 0.5000001, "tolerance": 1e-6}, True),
        ({"prediction": 0.9, "tolerance": None}, True),
        ({"error": "it failed", "tolerance": None}, False),
    ],
)
def test_an_example_may_differ_by_what_two_runs_may(given: dict[str, Any], passed: bool) -> None:
    assert ExampleResult(model="a", input={}, expected=0.5, **given).passed == passed


def test_a_claim_that_could_not_be_measured_is_not_to_be_explained_in_the_card() -> None:
    claim = Claim(model="a", reported="0.5", source="Table 1")

    differs = _unexpected(ClaimResult(claim=claim, verdict=Verdict.DIFFERS, value=0.4))
    fails = _unexpected(
        ClaimResult(claim=claim, verdict=Verdict.ERROR, error="install what it takes")
    )

    assert "find out why" in differs.remedy
    assert (fails.message, fails.remedy) == ("a, Table 1: install what it takes", "")


def test_a_readme_of_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "Readme.md").write_bytes("# Größe".encode("latin-1"))
    subject = Subject("any")
    subject.__dict__["card"] = SimpleNamespace(folder=tmp_path)

    assert [f.message for f in readme(subject)] == ["Readme.md is not UTF-8"]


def test_a_file_that_may_not_be_read_is_an_error_of_the_package_not_of_the_check() -> None:
    def closed(subject: Subject) -> Iterator[Finding]:
        yield Finding(outcome="passed")
        raise PermissionError(13, "Permission denied", "src/run.py")

    result = running._run(Check(name="card.closed", level="card", run=closed), Subject("any"))

    assert result.outcome == "error"
    assert [f.message for f in result.findings] == ["", "src/run.py: Permission denied"]


def test_a_check_that_fails_itself_is_an_error_of_that_check_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(subject: Subject) -> Iterator[Finding]:
        yield Finding(outcome="passed", message="so far")
        raise ZeroDivisionError("of ours")

    result = running._run(Check(name="card.broken", level="card", run=broken), Subject("any"))

    assert result.outcome == "error"
    assert [f.message for f in result.findings] == [
        *("so far", "the check itself failed: ZeroDivisionError: of ours")
    ]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        ([], "passed"),
        (["passed"], "passed"),
        (["passed", "skipped"], "skipped"),
        (["skipped", "warning"], "warning"),
        (["error", "passed", "warning"], "error"),
    ],
)
def test_a_check_comes_out_as_the_worst_that_it_finds(
    outcomes: list[Outcome], outcome: Outcome
) -> None:
    findings = tuple(Finding(outcome=one) for one in outcomes)

    assert CheckResult(check="a", level="card", findings=findings).outcome == outcome
