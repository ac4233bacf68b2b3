"""`repro check` with an engine: a planted fault for each check of an image and of a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from repro.engine import image as images
from repro.engine import layers
from repro.engine.container import run
from repro.engine.spec import ContainerSpec
from repro.errors import ContainerError, EngineError
from repro.operations.checking import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.client import Engine

CARD = """
version = "1.0"
title   = "Samples"
summary = "Packages of the tests"
license = "Apache-2.0"
upstream = "samples 1.0"
"""
MODEL = """
[models.PACKAGE-NAME]
class   = "NAME"
task    = "text-transformation"
command = ["python", "NAME.py"]
"""
CLAIM = """
[[claims]]
model    = "PACKAGE-NAME"
input    = { text = "abc" }
reported = "ABC"
source   = "Table 1"
"""
CLASS = """
@Model.register("PACKAGE-NAME")
class NAME(DockerModel):
    def predict(self, text: str) -> str:
        return self.answer(text=text)
"""
DOCKERFILE = "ARG BASE\nFROM ${BASE}\nCOPY src/ .\n"
EXAMPLES = [("a b", "A B"), ("A", "A"), ("ß", "SS")]

GOOD = """
import os, random, sys
from repro_runtime import main

def predict(model, instances):
    print("I print, and I read:", sys.stdin.read())
    return [answer(instance["text"]) for instance in instances]

def answer(text):
    return text.upper()

ARGUMENTS = sys.argv[1:]
if __name__ == "__main__":
    main(lambda: None, predict, argv=ARGUMENTS)
"""

# It talks as a worker does, and does not end with its input.
LASTING = """
import json, sys, time
for frame in ({"op": "hello", "version": "1"}, {"op": "ready", "seconds": 0}):
    print(json.dumps(frame), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    outputs = [instance["text"].upper() for instance in asked["instances"]]
    print(json.dumps({"id": asked["id"], "outputs": outputs}), flush=True)
time.sleep(60)
"""

# By the model: what is replaced in the good program by what, the check, and what it says.
FAULTS = {
    "writes": ("return text", 'open("/app/x", "w"); return text', "isolation", "Read-only file"),
    "asks": (
        "return text",
        'assert os.path.exists("/sys/class/net/eth0"), "I need a network"; return text',
        "isolation",
        "I need a network",
    ),
    "modal": ("text.upper()", 'text.upper() + "!" * ("--worker" in ARGUMENTS)', "modes", "'A B!'"),
    "drawing": ("text.upper()", "str(random.random())", "repeat", "in a second run"),
    "sorting": (
        "return [answer",
        "instances.sort(key=str); return [answer",
        "order",
        "as instance",
    ),
    "hungry": (
        "if __name__",
        (
            'if ARGUMENTS[0] == "--input-file" and not open(ARGUMENTS[1]).read():\n    exit(3)\n'
            "if __name__"
        ),
        "empty",
        "ended with status 3",
    ),
    "mistaken": ("text.upper()", "len(text)", "isolation", "is not str"),
    "dropping": (
        "for instance in instances]",
        'for instance in instances if instance["text"]]',
        "texts",
        "text = nothing: prediction 0 of contract-dropping: predict returned 0 predictions for 1",
    ),
    "clumsy": ("text.upper()", "text[0].upper() + text[1:].upper()", "texts", "IndexError"),
    "crashing": (
        "return text",
        'return os._exit(7) if text[:2] == "xx" else text',
        "texts",
        "status 7",
    ),
    "lax": ("sys.argv[1:]", "sys.argv[1:5]", "options", "which it does not have"),
    "noisy": (
        "from repro_runtime import main\n\ndef predict(model, instances):\n",
        (
            "OUT = os.dup(1)\nfrom repro_runtime import main\n\ndef predict(model, instances):\n"
            '    os.write(OUT, b"noise\\n")\n'
        ),
        "frames",
        "is not JSON",
    ),
    "lasting": (GOOD, LASTING, "end", "still runs 10 s after its input has ended"),
}

# Runs one check of one model: all of them of all would take a minute.
ONE_CHECK = """
import json, sys
from repro.engine.container import run
from repro.engine.spec import ContainerSpec
from repro.errors import ContainerError, EngineError
from repro.operations.checking import CHECKS
from repro.operations.checking.running import _run
from repro.operations.checking.subject import Subject

checks = {check.name: check for check in CHECKS}
found = {}
with Subject(sys.argv[1]) as subject:
    assert not [f for f in checks["build.image"].run(subject) if f.outcome != "passed"]
    trials = {trial.card.class_name: trial for trial in subject.trials()}
    for name, check in json.loads(sys.argv[2]):
        subject.trials = lambda: [trials[name]]
        found.setdefault(name, {})[check] = [
            [f.outcome, f.message, f.remedy] for f in _run(checks[check], subject).findings
        ]
        trials[name].close()
print(json.dumps(found))
"""


def add(library: Any, package: str, programs: dict[str, str], **files: str) -> None:
    """Put a package into the copy; each of its models has a program."""

    def named(text: str) -> str:
        return "".join(text.replace("NAME", name) for name in programs).replace("PACKAGE", package)

    rows = [
        {"model": f"{package}-{name}", "input": {"text": given}, "output": answer}
        for name in programs
        for given, answer in EXAMPLES
    ]
    content = {
        "model.toml": CARD + named(MODEL) + named(CLAIM),
        "Dockerfile": DOCKERFILE,
        "examples.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        **{f"src/{name}.py": program for name, program in programs.items()},
        **files,
    }
    library.add(package, content, "from repro.models import DockerModel, Model\n" + named(CLASS))


@pytest.fixture(scope="module", name="place")
def _place(library: Any, engine: Engine, bookworm: str) -> Iterator[Any]:
    """The copy of the library; its images are gone afterwards."""
    del bookworm
    yield library
    for name in images.names(engine):
        if name.startswith((f"{library.namespace}/", images.UNFINISHED + library.namespace)):
            images.remove(engine, name, force=True)


@pytest.fixture(scope="module", name="found")
def _found(place: Any) -> dict[str, dict[str, list[list[str]]]]:
    """What the checks of programs find: of each the one that its fault is planted for."""
    programs = {"good": GOOD}
    for name, (old, new, *_) in FAULTS.items():
        assert old in GOOD, "the fault is planted"
        programs[name] = GOOD.replace(old, new, 1)
    add(place, "contract", programs)
    asked = [(name, f"contract.{check}") for name, (_, _, check, _) in FAULTS.items()]
    asked += [("good", check.name) for check in CHECKS if check.level == "contract"]
    return one_check_each(place, "contract", asked)


def one_check_each(
    place: Any, package: str, asked: list[tuple[str, str]]
) -> dict[str, dict[str, list[list[str]]]]:
    """Make some checks of some models; return what they find, by model and check."""
    done = place.python(["-c", ONE_CHECK, package, json.dumps(asked)])
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, list[list[str]]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_of_a_program_is_found(
    found: dict[str, dict[str, list[list[str]]]], name: str
) -> None:
    _, _, check, words = FAULTS[name]
    findings = found[name][f"contract.{check}"]

    assert [outcome for outcome, *_ in findings] == ["error"]
    assert words in findings[0][1]
    assert f"contract-{name}" in findings[0][1]


def test_a_wrong_answer_is_not_put_down_to_the_isolation(
    found: dict[str, dict[str, list[list[str]]]],
) -> None:
    ((_, _, remedy),) = found["mistaken"]["contract.isolation"]

    assert "`predict`" in remedy
    assert "network" not in remedy


def test_a_program_that_needs_a_network_is_told_how_its_card_says_so(
    found: dict[str, dict[str, list[list[str]]]], engine: Engine, bookworm: str
) -> None:
    look = ("test", "-e", "/sys/class/net/eth0")
    try:
        run(engine, ContainerSpec(image=bookworm, command=look, network=True))
    except (EngineError, ContainerError) as error:
        pytest.skip(f"this engine has no network to give: {error}")

    ((_, _, remedy),) = found["asks"]["contract.isolation"]

    assert "`network = true`" in remedy


def test_a_program_that_keeps_the_contract_passes_all(
    found: dict[str, dict[str, list[list[str]]]],
) -> None:
    outcomes = {check: {f[0] for f in findings} for check, findings in found["good"].items()}

    assert set(outcomes) == {check.name for check in CHECKS if check.level == "contract"}
    assert outcomes.pop("contract.files") == {"skipped"}  # it takes none
    assert all(told <= {"passed"} for told in outcomes.values())


def test_a_file_that_is_none_of_its_kind_is_answered_or_refused(place: Any) -> None:
    opened = "def answer(path):\n    data = open(path, 'rb').read()\n"
    good = opened + "    if data[:1] != b'x': raise ValueError('it does not begin with x')\n"
    programs = {
        name: GOOD.replace('["text"]', '["file"]').replace("def answer(text):\n", answer)
        for name, answer in {
            "good": good + "    return str(len(data))\n    text = ''\n",
            "bad": opened + "    return str(data[4096])\n    text = ''\n",
        }.items()
    }
    add(place, "filed", programs)
    folder = place.folder / "models" / "filed"
    row = '{"model": "filed-%s", "input": {"file": "examples/%s"}, "output": "%s"}\n'
    (folder / "examples").mkdir()
    (folder / "examples" / "xs").write_bytes(b"x" * 5000)
    rows = row % ("good", "xs", 5000), row % ("bad", "xs", 120)
    (folder / "examples.jsonl").write_text("".join(rows))
    code = place.folder / "repro" / "models" / "filed" / "__init__.py"
    taking = code.read_text().replace("text: str", "file: File").replace("text=text", "file=file")
    code.write_text("from repro.models import File\n" + taking)
    checks = ("modes", "texts", "options", "frames", "files")

    found = one_check_each(
        place, "filed", [*(("good", f"contract.{c}") for c in checks), ("bad", "contract.files")]
    )

    assert found["good"].pop("contract.texts")[0][0] == "skipped"
    assert set(map(str, found["good"].values())) == {"[]"}
    (empty, text, _) = found["bad"]["contract.files"]
    assert "file = an empty file: filed-bad raised IndexError" in empty[1]
    assert "a file of text" in text[1]


def checked(done: Any) -> dict[str, dict[str, Any]]:
    """Read the report; what each check of each package has found."""
    assert done.stdout, done.stderr
    return {
        one["package"]: {check["check"]: check for check in one["checks"]}
        for one in json.loads(done.stdout)
    }


def test_faults_in_layers_and_builds_are_found_and_one_package_stops_no_other(
    place: Any, engine: Engine
) -> None:
    bad = (
        "RUN mkdir /opt/weights && touch /root/notes /opt/weights/one /opt/owned"
        " && chmod 600 /opt/weights/one && chown 70000:70001 /opt/owned\n"
        "RUN rm -rf /root/.bashrc /root/.profile\n"
    )
    add(place, "unbuilt", {"good": GOOD}, Dockerfile=DOCKERFILE + "RUN echo so sorry; exit 7\n")
    add(place, "layered", {"good": GOOD}, Dockerfile=DOCKERFILE + bad)

    done = place.repro("check", "unbuilt", "layered", "--level", "build", "--json")
    found = checked(done)
    images.remove(engine, images.unfinished(f"{place.namespace}/unbuilt:1.0"))

    assert done.returncode == 1
    told = {name: check["findings"] for name, check in found["layered"].items()}
    assert "/opt/owned of user or group 70001" in told["build.owners"][0]["message"]
    assert "/root/notes" in told["build.home"][0]["message"]
    assert "/opt/weights/one" in told["build.readable"][0]["message"]
    assert "/opt/owned" not in told["build.readable"][0]["message"]
    assert ".wh." not in json.dumps(told), "what a layer removes is no file"
    for check in ("fresh", "cached", "image"):
        assert found["layered"][f"build.{check}"]["outcome"] == "passed"
    assert "0 MB above the base" in told["build.fresh"][0]["message"]
    assert "ended with status 7" in found["unbuilt"]["build.fresh"]["findings"][0]["message"]
    assert found["unbuilt"]["build.owners"]["outcome"] == "skipped"


def test_a_build_that_is_no_hit_of_the_cache_is_found(place: Any) -> None:
    add(place, "changing", {"good": GOOD})
    change = (
        "import json, pathlib\n"
        "from repro.operations.checking import check_packages\n"
        "def tell(line):\n"
        "    if line.endswith('build.cached'):\n"
        "        pathlib.Path('models/changing/src/more.py').write_text('')\n"
        "(report,) = check_packages(['changing'], 'build', report=tell)\n"
        "print(json.dumps({r.check: r.outcome for r in report.results}))\n"
    )

    done = place.python(["-c", change])

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["build.cached"] == "error"


def nameless(engine: Engine) -> set[str]:
    return {image["Id"] for image in engine.api.images(filters={"dangling": True})}


def test_stages_that_begin_alike_are_a_hit_of_the_cache(place: Any, engine: Engine) -> None:
    stages = (
        "ARG BASE\nFROM ${BASE} AS made\nARG NAME=tool\nRUN date +%N > /opt/${NAME}\n"
        "FROM ${BASE}\nARG NAME=tool\nCOPY --from=made /opt/${NAME} /opt/\nCOPY src/ .\n"
    )
    add(place, "staged", {"good": GOOD}, Dockerfile=stages)
    before = nameless(engine)

    found = checked(place.repro("check", "staged", "--level", "build", "--json"))
    for stage in nameless(engine) - before:  # the classic builder keeps a stage as its cache
        engine.api.remove_image(stage)

    assert found["staged"]["build.cached"]["findings"][0]["outcome"] == "passed"


def test_wrong_examples_and_claims_are_found_where_nothing_can_be_run_they_are_skipped(
    place: Any, engine: Engine
) -> None:
    add(place, "wrong", {"good": GOOD.replace("text.upper()", "text.lower()")})
    add(place, "gone", {"good": GOOD}, Dockerfile=DOCKERFILE + "RUN false\n")

    done = place.repro("check", "gone", "wrong", "--json", "--junit", "report.xml")
    found = checked(done)
    images.remove(engine, images.unfinished(f"{place.namespace}/gone:1.0"))

    assert done.returncode == 1
    wrong, gone = found["wrong"], found["gone"]
    assert "wrong-good" in wrong["full.examples"]["findings"][0]["message"]
    assert wrong["full.examples"]["outcome"] == wrong["full.claims"]["outcome"] == "error"
    assert {
        name: wrong[name]["outcome"]
        for name in wrong
        if name.startswith("contract.") and wrong[name]["outcome"] != "passed"
    } == {"contract.files": "skipped"}
    assert gone["build.image"]["outcome"] == "error"
    others = {name for name in gone if name.startswith(("contract.", "full."))}
    assert {gone[name]["outcome"] for name in others} == {"skipped"}
    assert (place.folder / "report.xml").is_file()


def test_a_cold_program_is_checked_for_what_applies(place: Any) -> None:
    program = (
        "import json, sys\n"
        "if sys.argv[5:]: sys.exit('what is ' + sys.argv[5] + '?')\n"
        "rows = [json.loads(line) for line in open(sys.argv[2], encoding='utf-8')]\n"
        "with open(sys.argv[4], 'w') as out:\n"
        "    out.writelines(json.dumps(row['text'].upper()) + '\\n' for row in rows)\n"
    )
    add(place, "bare", {"good": program})
    card = place.folder / "models" / "bare" / "model.toml"
    card.write_text(card.read_text().replace("task    =", "cold = true\ntask    ="))

    found = checked(place.repro("check", "bare", "--level", "contract", "--json"))["bare"]
    card.write_text(card.read_text().replace("cold = true\n", ""))
    undeclared = one_check_each(place, "bare", [("good", "contract.isolation")])

    outcomes = {
        name.partition(".")[2]: c["outcome"] for name, c in found.items() if "contract." in name
    }
    ((outcome, message, remedy),) = undeclared["good"]["contract.isolation"]
    assert (outcome, message) == ("warning", "bare-good has no worker mode")
    assert remedy == "put `cold = true` into the card"
    skipped = {"modes", "files", "frames", "end"}
    assert {name for name, outcome in outcomes.items() if outcome == "skipped"} == skipped
    assert {outcomes[name] for name in outcomes if name not in skipped} == {"passed"}


def test_the_layers_of_an_image_are_counted_and_listed(engine: Engine, bookworm: str) -> None:
    found = layers.entries(engine, bookworm, lambda entry: entry.path == "/opt/repro")

    assert layers.count(engine, bookworm) >= 2
    assert {(entry.folder, entry.uid, entry.mode & 0o777) for entry in found} == {(True, 0, 0o755)}
