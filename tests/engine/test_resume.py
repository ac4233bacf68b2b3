"""Runs that are stopped and resumed: the same bytes in the end, and no work done twice."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from repro.engine import image as images
from repro.engine.context import BuildContext
from repro.engine.leftovers import sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repro.engine.client import Engine

ROOT = Path(__file__).resolve().parents[2]
KILLS = 50
BATCH = 5
ROWS = 600

# An answer tells which batch it was made in, so another division shows in the bytes.
MODELS = '''
from typing_extensions import TypedDict

from repro.models import DockerModel, Model
from repro.models.metric import Metric
from repro.models.program import Program

PROGRAM = """
import sys, time
from repro_runtime import main

def load(suffix=""):
    return suffix

def predict(suffix, instances, *, times=1):
    print("batch %s" % first(instances))
    sys.stdout.flush()
    time.sleep(0.01)
    return [answer(i["text"], suffix * times, instances) for i in instances]

def answer(text, suffix, instances):
    if text.startswith("bad"): raise ValueError("cannot do " + text)
    return "%s%s of %s, %d" % (text.split()[0], suffix, first(instances), len(instances))

def first(instances):
    return instances[0]["text"].split()[0]

def rows(model, instances):
    time.sleep(0.01)
    return [{"value": 1 / (int(i["text"]) + 1)} for i in instances]

def total(rows):
    total = 0.0
    for row in rows:
        total = total * 0.999 + row["value"]
    return {"total": total}

if "metric" in sys.argv: sys.argv.remove("metric"); main(lambda: None, rows, total)
else: main(load, predict)
"""

FILE_MODE = """
import json, sys
if "--worker" in sys.argv: sys.exit("there is no such mode")
with open(sys.argv[2]) as given, open(sys.argv[4], "w") as out:
    for line in given:
        out.write(line)
"""


def program(*words, **options):
    return Program(image="IMAGE", command=("python", "-c", *words), **options)


@Model.register("resume-echo")
class Echo(DockerModel):
    program = program(PROGRAM)

    def __init__(self, image: str | None = None, *, suffix: str = "", **common):
        super().__init__(image, **common)

    def predict(self, text: str, *, times: int = 1) -> str:
        return self.answer(text=text, times=times)


@Model.register("resume-cold")
class Cold(Echo):
    program = program(PROGRAM, cold=True)


@Model.register("resume-files")
class Files(DockerModel):
    program = program(FILE_MODE)

    def predict(self, text: str) -> dict[str, str]:
        return self.answer(text=text)


class Row(TypedDict):
    value: float


class Corpus(TypedDict):
    total: float


@Model.register("resume-total")
class Total(Metric):
    program = program(PROGRAM, "metric")
    Row, Corpus = Row, Corpus

    def predict(self, text: str) -> Corpus:
        return self.answer(text=text)


@Model.register("resume-plain")
class Plain(Model):
    def predict_batch(self, inputs, *args, **kwargs):
        return [one["text"] for one in inputs]
'''

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, bookworm: str) -> Path:
    """A copy of the checkout with the package `resume`."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("repro", "models"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Dockerfile.base", folder)
    (folder / "repro/models/resume").mkdir()
    (folder / "repro/models/resume/__init__.py").write_text(MODELS.replace("IMAGE", bookworm))
    return folder


class Command:
    """Runs `repro predict` over the same rows again and again, and stops it."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.folder = folder
        self.partial = folder / "out.jsonl.partial"
        self.about = folder / "out.jsonl.partial.json"
        self.output = folder / "out.jsonl"
        self._environment = {**os.environ, "PYTHONPATH": str(checkout)}
        self.running: list[subprocess.Popen[str]] = []
        self.write(*map(str, range(ROWS)))

    def write(self, *texts: str) -> None:
        """Write the input."""
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        (self.folder / "in.jsonl").write_text(lines)

    def start(
        self, *words: str, model: str = "resume-echo", output: str = "out.jsonl"
    ) -> subprocess.Popen[str]:
        """Start it in a folder of its own."""
        files = ["--input", "in.jsonl", "--output", output]
        files += [] if model == "resume-plain" else ["--batch-size", str(BATCH)]
        process = subprocess.Popen(
            [sys.executable, "-m", "repro", "-vv", "predict", "--model", model, *files, *words],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> Done:
        """Wait for its end."""
        out, err = process.communicate(timeout=120)
        return Done(process.args, process.returncode, out, err)

    def run(self, *words: str, model: str = "resume-echo") -> Done:
        """Run it to its end."""
        return self.end(self.start(*words, model=model))

    def resume(self, *words: str, model: str = "resume-echo") -> Done:
        """Run it to its end, from where it was stopped."""
        return self.run("--resume", *words, model=model)

    def undisturbed(self, *words: str, model: str = "resume-echo") -> bytes:
        """Say what a run writes that nobody stops."""
        done = self.run(*words, model=model)
        assert done.returncode in {0, 1}, done.stderr
        found = self.output.read_bytes()
        self.output.unlink()
        return found

    def stopped(
        self, *words: str, model: str = "resume-echo", by: signal.Signals = signal.SIGKILL
    ) -> Done:
        """Run it until some rows are there, and end it."""
        process = self.start("--resume", *words, model=model)
        deadline = time.monotonic() + 60
        while process.poll() is None and self.rows() < 3 * BATCH:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(by)
        done = self.end(process)
        assert self.rows() >= 3 * BATCH, done.stderr
        assert not self.output.exists()
        return done

    def rows(self) -> int:
        """Count the rows that are kept."""
        with suppress(FileNotFoundError):
            return self.partial.read_bytes().count(b"\n")
        return 0

    def record(self) -> dict[str, object]:
        """Read the record of the run."""
        found: dict[str, object] = json.loads((self.folder / "out.jsonl.run.json").read_text())
        return found

    def names(self) -> list[str]:
        """Name what lies in the folder."""
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def command(checkout: Path, tmp_path: Path, engine: Engine) -> Iterator[Command]:
    """Run the command in a folder of its own."""
    made = Command(checkout, tmp_path)
    yield made
    for process in made.running:
        process.kill()
        process.communicate()
    sweep(engine)  # as the next one would


def right(done: Done) -> None:
    """It ended well."""
    assert done.returncode == 0, done.stderr


def batches(done: Done) -> list[int]:
    """Tell which batches were predicted, by the numbers of their first instances."""
    return [int(number) for number in re.findall(r"batch (\d+)$", done.stderr, re.MULTILINE)]


def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(command: Command) -> None:
    expected = command.undisturbed()
    chance = random.Random(4)
    started = time.monotonic()
    command.stopped()
    until_rows = time.monotonic() - started
    kills = finished = 0

    while kills < KILLS:
        whole = command.rows() // BATCH * BATCH
        process = command.start("--resume")
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1.3) * until_rows)
        process.kill()
        done = command.end(process)
        kills += 1
        assert min(batches(done), default=ROWS) >= whole, "none is predicted twice"
        if command.output.exists():
            finished += 1
            assert command.output.read_bytes() == expected
            command.output.unlink()
    right(command.resume())

    assert command.output.read_bytes() == expected
    assert command.names() == ["in.jsonl", "out.jsonl", "out.jsonl.run.json"]
    assert command.record()["resumed"] or finished


@pytest.mark.parametrize("torn", [b"", b"{", b'{"instance_id": "0"}\n', b"\0" * 100 + b"\n"])
def test_what_is_torn_is_dropped(command: Command, torn: bytes) -> None:
    expected = command.undisturbed()
    command.stopped()
    whole = command.rows() // BATCH * BATCH
    with command.partial.open("ab") as file:
        file.write(torn)

    done = command.resume()

    right(done)
    assert command.output.read_bytes() == expected
    assert batches(done)[0] >= whole
    assert command.record()["resumed"] == batches(done)[0]


def test_a_batch_that_is_not_whole_is_predicted_again(command: Command) -> None:
    expected = command.undisturbed()
    command.stopped()
    rows = command.partial.read_bytes().splitlines(keepends=True)
    command.partial.write_bytes(b"".join(rows[: 2 * BATCH + 3]) + rows[2 * BATCH + 3][:7])

    done = command.resume()

    right(done)
    assert batches(done)[0] == 2 * BATCH
    assert command.output.read_bytes() == expected


def test_batches_that_were_cut_by_their_size_are_cut_there_again(command: Command) -> None:
    big = "x" * 12_000_000  # of which two make a batch, in place of five
    command.write(*[f"{n} {big}" if n in {12, 13, 14} else str(n) for n in range(30)])
    process = command.start("--resume")
    while process.poll() is None and not command.rows():
        about = command.about.read_bytes() if command.about.exists() else b""
        time.sleep(0.01)
    right(command.end(process))
    expected = command.output.read_bytes()
    rows = expected.splitlines(keepends=True)

    for kept, first in [(13, 10), (14, 14), (18, 14), (19, 19)]:
        command.output.unlink()
        command.partial.write_bytes(b"".join(rows[:kept]))
        command.about.write_bytes(about)
        done = command.resume()

        right(done)
        assert batches(done)[0] == command.record()["resumed"] == first
        assert command.output.read_bytes() == expected


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_where_its_rows_are(command: Command, by: signal.Signals) -> None:
    expected = command.undisturbed()

    stopped = command.stopped(by=by)
    done = command.resume()

    assert stopped.returncode == 130
    assert f"{command.partial}; the same command goes on from there" in stopped.stderr
    right(done)
    assert command.output.read_bytes() == expected


def test_rows_that_are_all_there_need_no_container(command: Command) -> None:
    expected = command.undisturbed()
    command.stopped()
    command.partial.write_bytes(expected)

    done = command.resume()

    right(done)
    assert command.output.read_bytes() == expected
    assert "started" not in done.stderr
    assert command.record()["resumed"] == ROWS


def test_a_full_disk_costs_no_row_that_was_written(command: Command) -> None:
    expected = command.undisturbed()
    small = command.folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)]
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        full = command.end(command.start("--resume", output="small/out.jsonl"))
        kept = (small / "out.jsonl.partial").read_bytes()
        subprocess.run(["mount", "-o", "remount,size=1m", str(small)], check=True)
        done = command.end(command.start("--resume", output="small/out.jsonl"))
        found = (small / "out.jsonl").read_bytes()
    finally:
        subprocess.run(["umount", str(small)], check=True)

    assert full.returncode == 3
    assert "no space left" in full.stderr
    assert expected.startswith(kept)
    assert kept.count(b"\n") > BATCH
    right(done)
    assert batches(done)[0] == kept.count(b"\n") // BATCH * BATCH
    assert found == expected


@pytest.fixture
def other_image(engine: Engine, bookworm: str, tmp_path: Path) -> Iterator[str]:
    """An image that differs from the base by a label."""
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {bookworm}\nLABEL other=1\n")
    name = f"repro-tests/resume-{os.getpid()}:1"
    images.build(engine, BuildContext(root=folder), name, labels={})
    shutil.rmtree(folder)
    yield name
    engine.api.remove_image(name)


def test_a_run_of_something_else_is_refused_by_name(command: Command, other_image: str) -> None:
    command.stopped()
    kept, about = command.partial.read_bytes(), command.about.read_bytes()
    for words, said in [
        (["--option", "times=2"], "the option times was 1 and is 2"),
        (["--load-option", "suffix=!"], 'the load option suffix was "" and is "!"'),
        (["--batch-size", "7"], "the load option batch_size was 5 and is 7"),
        (["--limit", "9"], "the selection's limit was null and is 9"),
        (["--include-input"], "the include_input was false and is true"),
        (["--cold"], "the cold was false and is true"),
        (["--image", other_image], r'the image was "sha256:\w+" and is "sha256:\w+"'),
        (["--input", "in.jsonl"], "it had 1 input files, and there are 2"),
    ]:
        done = command.resume(*words)

        assert done.returncode == 2
        assert re.search(said, done.stderr), done.stderr
        assert f"remove {command.partial} and {command.about} to start anew" in done.stderr
    other = command.resume(model="resume-total")
    command.write("1", "2", "3")
    changed = command.resume()

    assert 'the model was "resume-echo" and is "resume-total"' in other.stderr
    assert changed.returncode == 2
    assert "the input in.jsonl has changed" in changed.stderr
    assert (command.partial.read_bytes(), command.about.read_bytes()) == (kept, about)


def test_what_decides_only_how_it_is_run_may_change(command: Command) -> None:
    expected = command.undisturbed()
    command.stopped()

    done = command.resume(
        *("--workers", "2", "--timeout", "60", "--memory", "256m"),
        *("--load-timeout", "60", "--on-error", "record", "--max-errors", "3"),
    )

    right(done)
    assert command.output.read_bytes() == expected


def test_the_value_of_a_metric_is_over_all_rows(command: Command) -> None:
    expected = command.undisturbed(model="resume-total")
    corpus = command.record()["corpus"]
    command.stopped(model="resume-total")
    about = command.about.read_bytes()

    right(command.resume(model="resume-total"))
    resumed = command.record()
    rows = command.output.read_bytes()
    command.output.rename(command.partial)
    command.about.write_bytes(about)
    right(command.resume(model="resume-total"))
    all_kept = command.record()

    assert rows == command.output.read_bytes() == expected
    assert 0 < int(str(resumed["resumed"])) < int(str(all_kept["resumed"])) == ROWS
    assert resumed["corpus"] == all_kept["corpus"] == corpus


def test_failures_count_as_answered(command: Command) -> None:
    command.write(*["0", "1", "bad", "3"], *map(str, range(4, ROWS)))
    words = ["--on-error", "record"]
    expected = command.undisturbed(*words)
    command.stopped(*words)

    done = command.resume(*words)

    assert done.returncode == 1
    assert done.stderr.endswith("1 of 600 rows failed; each says why in its place\n")
    assert command.output.read_bytes() == expected
    assert batches(done)[0] >= 3 * BATCH
    assert command.record()["failed"] == 1
    assert json.loads(expected.splitlines()[2]) == {
        "instance_id": "2",
        "model_id": "resume-echo",
        "error": {"type": "ValueError", "message": "cannot do bad"},
    }


def test_a_run_that_ended_with_a_failure_goes_on_where_they_are_recorded(command: Command) -> None:
    command.write(*map(str, range(50)), "bad 1", *map(str, range(50, 80)), "bad 2")
    expected = command.undisturbed("--on-error", "record")

    first = command.resume()
    kept = command.rows()
    second = command.resume("--on-error", "record", "--max-errors", "1")
    third = command.resume("--on-error", "record", "--max-errors", "2")

    assert (first.returncode, kept) == (1, 50)
    assert "over instance 50: cannot do bad 1" in first.stderr
    assert second.returncode == 1
    assert "over instance 81: cannot do bad 2" in second.stderr
    assert third.returncode == 1
    assert command.output.read_bytes() == expected
    assert command.record()["failed"] == 2


@pytest.mark.parametrize("model", ["resume-cold", "resume-files"])
def test_a_cold_program_answers_all_anew(command: Command, model: str) -> None:
    expected = command.undisturbed(model=model)
    right(command.resume(model=model))
    first = command.output.read_bytes()
    process = command.start("--resume", model=model)
    while process.poll() is None and not command.about.exists():
        time.sleep(0.01)
    process.kill()
    command.end(process)
    command.partial.write_bytes(b"".join(first.splitlines(keepends=True)[:64]))
    described = json.loads(command.about.read_text())
    command.about.write_text(json.dumps({**described, "found_cold": model == "resume-files"}))
    command.output.unlink()

    done = command.resume(model=model)

    right(done)
    assert first == command.output.read_bytes() == expected
    assert command.record()["resumed"] == 0


def test_two_processes_cannot_write_the_same_rows(command: Command) -> None:
    process = command.start("--resume")
    while process.poll() is None and command.rows() < BATCH:
        time.sleep(0.01)

    second = command.resume()
    first = command.end(process)

    assert second.returncode == 2
    assert f"another process is writing {command.partial}" in second.stderr
    right(first)
    assert command.output.read_bytes().count(b"\n") == ROWS


def test_a_run_that_wrote_no_row_leaves_nothing(command: Command) -> None:
    command.write("1", "bad")

    failed = command.resume()
    (command.folder / "in.jsonl").write_text('{"txt": "a"}\n')
    wrong = command.resume()

    assert (failed.returncode, wrong.returncode) == (1, 2)
    assert command.names() == ["in.jsonl"]


def test_rows_that_nothing_describes_are_refused(command: Command) -> None:
    command.partial.write_text("what somebody else keeps here\n")

    absent = command.resume()
    command.about.write_text('{"cold": tr')
    torn = command.resume()

    for done in (absent, torn):
        assert done.returncode == 2
        assert f"{command.about} does not say what its rows are of" in done.stderr
    assert command.partial.read_text() == "what somebody else keeps here\n"


def test_rows_of_other_instances_are_refused(command: Command) -> None:
    command.stopped()
    rows = command.partial.read_bytes().splitlines(keepends=True)
    command.partial.write_bytes(b"".join([rows[1], rows[0], *rows[2:]]))

    done = command.resume()

    assert done.returncode == 2
    assert "row 1 is not of instance 0" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "two.jsonl"], "needs one --output file"),
        (["--output-format", "csv"], "needs an output of JSON lines, not compressed"),
        (["--input", "-"], "needs inputs that are ordinary files"),
        (["--input", "absent"], "needs inputs that are ordinary files"),
        (["--output-writer", "sacrerouge"], "with the output writer 'sacrerouge' cannot be"),
        (["-i", "text=a"], "-i gives one instance; leave out --input"),
    ],
)
def test_what_cannot_be_resumed_is_told_at_once(
    command: Command, words: list[str], said: str
) -> None:
    done = command.resume(*words)

    assert done.returncode == 2
    assert said in done.stderr
    assert command.names() == ["in.jsonl"]


def test_a_model_that_answers_all_at_once_cannot_be_resumed(command: Command) -> None:
    done = command.resume(model="resume-plain")

    assert done.returncode == 2
    assert "resume-plain answers all rows at once" in done.stderr


def test_the_output_keeps_its_mode_and_its_link(command: Command) -> None:
    (command.folder / "elsewhere").mkdir()
    target = command.folder / "elsewhere" / "rows.jsonl"
    target.write_text("old")
    target.chmod(0o600)
    command.output.symlink_to(target)

    right(command.resume())

    assert command.output.is_symlink()
    assert target.read_bytes().count(b"\n") == ROWS
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["rows.jsonl"]
