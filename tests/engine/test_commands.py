"""The command line against a real engine: what it prints, what it leaves, and its exit status."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.engine.client import Engine

ROOT = Path(__file__).resolve().parents[2]

# One model whose program does what the instances say, found by its folder: it has no card.
MODEL = '''
from repro.models import DockerModel, Model
from repro.models.docker_model import Program

PROGRAM = """
import os, sys, time
from repro_runtime import main

def load():
    print("loading")

def predict(model, instances):
    return [answer(i["text"]) for i in instances]

def answer(text):
    if text == "raise": raise ValueError("cannot do this one")
    if text == "exit": sys.stderr.write("going away\\\\n"); os._exit(7)
    if text == "kill": os.kill(os.getpid(), 9)
    if text == "number": return 1
    if text == "nan": return float("nan") and "nan"
    if text == "sleep": time.sleep(600)
    if text == "memory": return str(len(b"x" * 10**9))
    if text == "disk": open("/tmp/full", "wb").writelines([b"x" * 2**20] * 60)
    return text.upper()

main(load, predict)
"""

SHORT = """
import json, sys
rows = open(sys.argv[2]).read().splitlines()
with open(sys.argv[4], "w") as out:
    for i in range(%s):
        out.write(%s + chr(10))
"""


@Model.register("faulty-upper")
class Upper(DockerModel):
    program = Program(cold=True, image="IMAGE", command=("python", "-c", PROGRAM))

    def predict(self, text: str) -> str:
        return self.answer(text=text)


@Model.register("faulty-short")
class Short(Upper):
    program = Program(
        cold=True,
        image="IMAGE",
        command=("python", "-c", SHORT % ("3", "json.dumps('a')")),
    )


@Model.register("faulty-long")
class Long(Upper):
    program = Program(
        image="IMAGE", command=("python", "-c", SHORT % ("len(rows) + 1", "json.dumps('a')"))
    )


@Model.register("faulty-broken")
class Broken(Upper):
    program = Program(
        cold=True,
        image="IMAGE",
        command=("python", "-c", SHORT % ("len(rows)", "'{oops'")),
    )


@Model.register("faulty-missing")
class Missing(Upper):
    program = Program(image="repro-tests/not-there:1")


@Model.register("faulty-nan")
class NaN(DockerModel):
    program = Program(
        cold=True,
        image="IMAGE",
        command=("python", "-c", SHORT % ("len(rows)", "'NaN'")),
    )

    def predict(self, text: str) -> float:
        return self.answer(text=text)
'''

Run = "Callable[..., subprocess.CompletedProcess[str]]"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, bookworm: str) -> Path:
    """A copy of the checkout with the package `faulty`."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("repro", "models"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Dockerfile.base", folder)
    (folder / "repro/models/faulty").mkdir()
    (folder / "repro/models/faulty/__init__.py").write_text(MODEL.replace("IMAGE", bookworm))
    return folder


@pytest.fixture
def start(checkout: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line."""
    running = []

    def run(*words: str, **environment: str) -> subprocess.Popen[str]:
        settings = {**os.environ, "PYTHONPATH": str(checkout), **environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "repro", *words],
            cwd=checkout,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def repro(start: Callable[..., subprocess.Popen[str]]) -> Run:
    """Run the command line to its end."""

    def run(*words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        process = start(*words, **environment)
        out, err = process.communicate(given, timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    return run


def rows(*texts: str) -> str:
    """JSON lines of instances."""
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


def test_one_instance_gives_one_json_value(repro: Run) -> None:
    done = repro("predict", "--model", "faulty-upper", "-i", "text=5")

    assert (done.returncode, done.stdout, done.stderr) == (0, '"5"\n', "")


def test_json_lines_go_through_standard_input_and_output(repro: Run) -> None:
    given = '{"text": "a", "instance_id": "first"}\n\n{"text": "é"}'

    done = repro("predict", "--model-name", "faulty-upper", "--include-input", given=given)

    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {
            "instance_id": "first",
            "model_id": "faulty-upper",
            "input": {"text": "a"},
            "prediction": "A",
        },
        {"instance_id": "1", "model_id": "faulty-upper", "input": {"text": "é"}, "prediction": "É"},
    ]


def test_an_output_file_comes_with_the_record_of_its_run(repro: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(rows("a", "b"))

    done = repro(
        "predict", "--model", "faulty-upper", "--input", str(source), "--output", str(target)
    )
    record = json.loads((tmp_path / "out.jsonl.run.json").read_text())

    assert done.returncode == 0, done.stderr
    assert target.read_text().count("\n") == record["output"]["rows"] == 2
    assert record["input"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert record["output"]["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert record["image"]["id"].startswith("sha256:")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "in.jsonl",
        "out.jsonl",
        "out.jsonl.run.json",
    ]


@pytest.mark.parametrize(
    ("model", "given", "status", "said"),
    [
        ("faulty-upper", rows("a", "exit"), 1, "ended with status 7\n    loading\n    going away"),
        ("faulty-upper", rows("a", "kill"), 1, "was ended by signal 9"),
        ("faulty-upper", rows("a", "raise"), 1, "raised ValueError over instance 1: cannot do"),
        ("faulty-upper", rows("a", "number"), 1, "prediction 1 of faulty-upper"),
        ("faulty-short", rows(*"abcdefghij"), 1, "3 predictions for 10 instances"),
        ("faulty-long", rows(*"abcdefghij"), 1, "11 predictions for 10 instances"),
        ("faulty-broken", rows("a"), 1, "is not JSON"),
        ("faulty-nan", rows("a"), 1, "--allow-nan"),
        ("faulty-upper", rows("a") + '{"txt": "b"}\n', 2, "instance 1.*did you mean 'text'"),
        ("faulty-upper", rows("a") + "{}\n", 2, "instance 1.*'text' is missing"),
        ("faulty-upper", rows("a") + '{"text": 5}\n', 2, "instance 1.*'text' is not str"),
        ("faulty-upper", rows("a") + "[1]\n", 2, "instance 1.*not an object"),
        ("faulty-upper", rows("a") + "{oops\n", 2, "-, line 2: is not JSON"),
        ("faulty-missing", rows("a"), 3, "repro-tests/not-there:1 is not on this engine"),
        ("faulty-uper", rows("a"), 2, "no model called 'faulty-uper'"),
    ],
)
def test_a_failure_is_said_and_leaves_what_was_there(
    repro: Run, tmp_path: Path, model: str, given: str, status: int, said: str
) -> None:
    import re

    target = tmp_path / "out.jsonl"
    target.write_text("what was there before")

    done = repro("predict", "--model", model, "--output", str(target), given=given)

    assert done.returncode == status
    assert re.search(said, done.stderr, re.DOTALL), done.stderr
    assert "Traceback" not in done.stderr or "ValueError" in done.stderr
    assert target.read_text() == "what was there before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.usefixtures("limits")
def test_memory_that_runs_out_is_said_with_the_option_that_gives_more(repro: Run) -> None:
    done = repro("predict", "--model", "faulty-upper", "--memory", "64m", "-i", "text=memory")

    assert done.returncode == 1
    assert " for memory: its limit was 64 MiB" in done.stderr
    assert "--memory" in done.stderr


def test_a_disk_that_is_full_in_the_container_is_said(repro: Run) -> None:
    done = repro("predict", "--model", "faulty-upper", "--memory", "64m", "-i", "text=disk")

    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_a_time_limit_ends_the_container(repro: Run) -> None:
    done = repro("predict", "--model", "faulty-upper", "--timeout", "2", "-i", "text=sleep")

    assert done.returncode == 1
    assert "did not answer within 2 s" in done.stderr


def test_a_full_disk_on_the_host_is_said_and_leaves_nothing(repro: Run, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    given = rows(*("x" * 1000 for _ in range(200)))
    try:
        output = repro(
            "predict", "--model", "faulty-upper", "--output", f"{small}/out", given=given
        )
        exchange = repro("predict", "--model", "faulty-upper", given=given, TMPDIR=str(small))
        left = list(small.iterdir())
    finally:
        subprocess.run(["umount", str(small)], check=True)

    assert (output.returncode, exchange.returncode) == (3, 3)
    assert "no space left" in output.stderr
    assert "no space left" in exchange.stderr
    assert left == []


def test_standard_output_that_is_full_is_said(checkout: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "repro", "predict", "--model", "faulty-upper"],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            input=rows("a").encode(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == 3
    assert b"no space left" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_container_and_no_file(
    start: Callable[..., subprocess.Popen[str]], engine: Engine, tmp_path: Path, number: int
) -> None:
    process = start("predict", "--model", "faulty-upper", "--output", str(tmp_path / "out"))
    assert process.stdin is not None
    process.stdin.write(rows("a", "sleep"))
    process.stdin.close()
    process.stdin = None
    wait_for_container(engine)

    process.send_signal(number)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err.endswith("repro: interrupted\n")
    assert list(tmp_path.iterdir()) == []
    assert containers(engine) == []


def test_an_interruption_in_python_leaves_no_container(checkout: Path, engine: Engine) -> None:
    code = (
        "import repro\n"
        "try: repro.load('faulty-upper').predict('sleep')\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.PIPE,
    )
    wait_for_container(engine)

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)

    assert out == b"interrupted\n"
    assert containers(engine) == []


def containers(engine: Engine) -> list[dict[str, str]]:
    """List the containers of the model that the tests interrupt."""
    filters = {"label": "repro.model=faulty-upper"}
    return list(engine.api.containers(all=True, filters=filters))


def wait_for_container(engine: Engine) -> None:
    """Wait until one runs, and its program does."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for one in containers(engine):
            if one["State"] == "running" and (engine.podman or _has_python(engine, one["Id"])):
                time.sleep(2 if engine.podman else 0.3)
                return
        time.sleep(0.1)
    raise AssertionError("no container was started")


def _has_python(engine: Engine, container: str) -> bool:
    """Tell whether Python runs in it; podman runs the container's own `ps` for that."""
    return any("python" in p[-1] for p in engine.api.top(container)["Processes"])


def test_no_engine_is_one_sentence_and_status_3(repro: Run) -> None:
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}

    for words in (["predict", "--model", "faulty-upper", "-i", "text=a"], ["setup", "tutorial"]):
        done = repro(*words, **nowhere)
        assert done.returncode == 3
        assert "no container engine at unix:///nowhere/docker.sock" in done.stderr
        assert "apt-get install docker.io" in done.stderr
        assert "Traceback" not in done.stderr
    doctor = repro("doctor", **nowhere)
    assert doctor.returncode == 3
    assert "wrong" in doctor.stdout


def test_a_reader_that_goes_away_is_no_error_of_ours(checkout: Path) -> None:
    given = rows(*("x" * 100 for _ in range(20_000)))
    command = f"{sys.executable} -m repro predict --model faulty-upper | head -n 1"

    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_set_up_does_nothing_the_second_time(repro: Run) -> None:
    repro("setup", "tutorial")

    done = repro("setup", "tutorial", "--json")
    (result,) = json.loads(done.stdout)

    assert result["action"] == "present"
    assert result["image"] == "repro-models/tutorial:1.0"


def test_an_image_of_other_files_is_an_error_until_set_up_again(repro: Run, checkout: Path) -> None:
    program = checkout / "models/tutorial/src/run.py"
    before = program.read_text()
    repro("setup", "tutorial")

    program.write_text(before + "# changed\n")
    outdated = repro("predict", "--model", "tutorial-model", "-i", "text=abc")
    again = repro("setup", "tutorial", "--json")
    after = repro("predict", "--model", "tutorial-model", "-i", "text=abc")
    program.write_text(before)
    repro("setup", "tutorial")

    assert outdated.returncode == 3
    assert "`repro setup tutorial` builds it" in outdated.stderr
    assert json.loads(again.stdout)[0]["action"] == "rebuilt"
    assert after.stdout == '"cba"\n'


def test_examples_and_claims_have_a_status_of_their_own(repro: Run, checkout: Path) -> None:
    repro("setup", "tutorial")
    examples = checkout / "models/tutorial/examples.jsonl"
    before = examples.read_text()

    right = repro("test", "tutorial", "--json")
    examples.write_text(before.replace('"cba"', '"cab"'))
    wrong = repro("test", "tutorial")
    examples.write_text(before)
    claims = repro("reproduce", "tutorial", "--json")

    assert right.returncode == 0
    assert all(result["passed"] for result in json.loads(right.stdout))
    assert wrong.returncode == 1
    assert 'failed, it said "cba"' in wrong.stdout
    assert claims.returncode == 0
    assert {claim["verdict"] for claim in json.loads(claims.stdout)} == {"reproduced"}


def test_information_names_fields_and_predictions(repro: Run) -> None:
    about = json.loads(repro("info", "hutto2014-vader", "--json").stdout)
    text = repro("info", "hutto2014").stdout
    unknown = repro("info", "huto2014")

    assert about["models"][0]["fields"] == [{"name": "text", "type": "str", "required": True}]
    assert "hutto2014-vader-icwsm" in text
    assert unknown.returncode == 2
    assert "did you mean 'hutto2014'" in unknown.stderr
