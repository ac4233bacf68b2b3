"""One model, one warm worker: when it starts, what it answers, how it ends."""

from __future__ import annotations

import gc
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.engine.client import connect
from repro.engine.leftovers import sweep
from repro.errors import ModelError
from repro.models import worker_mode
from repro.models.docker_model import DockerModel, Program
from repro.models.tutorial import TutorialModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds for what takes one on an idle machine


def instances(*codes: str) -> list[dict[str, str]]:
    return [{"code": code} for code in codes]


def until(holds: Callable[[], Any], limit: float = PATIENCE) -> float:
    """Wait until something holds; tell how long it took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < limit, "it did not come about"
        time.sleep(0.02)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def shared(evaluator: type[DockerModel]) -> Iterator[DockerModel]:
    """A warm model for tests that leave it as it was."""
    with evaluator() as model:
        model.predict("1")
        yield model
        assert model.predict("len(LOADS)") == 1


@pytest.fixture
def mine(owned) -> Callable[[], set[str]]:
    """List the containers of this process."""
    return lambda: owned(os.getpid())


# The protocol


NOISY = """
import os, sys
print("before the import"); sys.stdout.flush()
os.write(1, b"no line's end")
os.system("echo a child before the import")
from repro_runtime import main
import subprocess
print("after the import")

def load():
    print("in load"); sys.stdout.flush()
    os.write(1, b'{"op": "ready"}' + os.linesep.encode())
    subprocess.check_call(["sh", "-c", "echo a child in load; cat"])
    return sys.stdin.read()

def predict(model, instances):
    sys.stdout.write("in predict" + os.linesep)
    os.write(1, b'{"id": 1, "outputs": [0]}' + os.linesep.encode())
    os.write(1, b"x" * 100000)
    child = subprocess.Popen(["sh", "-c", "cat; echo a child; echo its error >&2; exit 3"])
    found = [model, sys.stdin.readline(), child.wait(), os.read(0, 9).decode()]
    return [found + [i["code"], sys.version_info[0]] for i in instances]

main(load, predict)
"""


@pytest.fixture(params=[("bookworm", "python", 3), ("python27", "python2.7", 2)], ids=["3", "2.7"])
def pythons(request: pytest.FixtureRequest) -> tuple[str, str, int]:
    fixture, command, version = request.param
    return request.getfixturevalue(fixture), command, version


def test_whatever_a_model_prints_and_reads_the_protocol_is_unharmed(
    running, pythons, caplog
) -> None:
    caplog.set_level(logging.DEBUG, logger="repro.container")
    image, command, version = pythons
    model = running(Program(image=image, command=(command, "-c", NOISY)))

    for text in ("é \u2028", "second"):
        assert model.predict(text) == ["", "", 3, "", text, version]

    until(lambda: caplog.text.count("its error") == 2)
    printed = [record.getMessage() for record in caplog.records]
    for line in ("before the import", "a child before the import", "in load", "a child in load"):
        assert any(line in one for one in printed)


def test_an_aggregate_and_an_exception_work_under_python_2(running, evaluator, python27) -> None:
    program = evaluator.program.command[2]
    model = running(Program(image=python27, command=("python2.7", "-c", program)))

    assert model.predict("sys.version_info[:2]") == [2, 7]
    assert model.predict("u'\\xe9' + unichr(0x2028)") == "é\u2028"
    with pytest.raises(ModelError, match="raised Oops over instance 0: no"):
        model.predict("throw(Oops('no'))")
    assert model.predict("'x' * 3000000") == "x" * 3_000_000


def test_a_child_that_prints_and_lives_on_harms_nothing(shared) -> None:
    code = "subprocess.Popen(['sh', '-c', 'while sleep 0.05; do echo tick; done']).poll()"

    assert shared.predict(code) is None
    assert shared.predict_batch(instances(*map(str, range(300)))) == list(range(300))
    assert shared.predict("os.system('pkill -f tick') * 0") == 0


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("2 ** 70", 2**70),
        ("float('inf')", float("inf")),
        ("'\\x00\\n\\r\\u2028\\U0001f600'", "\x00\n\r\u2028\U0001f600"),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("-0.0", -0.0),
        ("[None, True, {'': []}]", [None, True, {"": []}]),
        ("'x' * 5000000", "x" * 5_000_000),
        ("{'id': 1, 'op': 'ready', 'error': None, 'outputs': []}", None),
    ],
)
def test_values_come_through_as_they_are(shared, code: str, value: Any) -> None:
    value = {"id": 1, "op": "ready", "error": None, "outputs": []} if value is None else value

    assert repr(shared.predict(code)) == repr(value)


# Start, reuse and end


def test_the_first_call_starts_a_container_and_the_next_ones_use_it(warm, mine) -> None:
    before = mine()
    model = warm()
    assert mine() == before

    here = [model.predict("(HERE, len(LOADS))") for _ in range(3)]
    here += model.predict_batch(instances("(HERE, len(LOADS))"))
    here += model.predict_stream(iter(instances("(HERE, len(LOADS))")))

    assert here == [[min(mine() - before)[:12], 1]] * 5


def test_close_ends_it_and_the_next_call_starts_another(warm, mine) -> None:
    before = mine()
    model = warm()
    first = model.predict("HERE")
    model.close()
    assert mine() == before
    model.close()

    assert model.predict("HERE") != first


def test_a_with_block_ends_it_also_by_an_exception(evaluator, mine) -> None:
    before = mine()
    with suppress(KeyError), evaluator() as model:
        model.predict("1")
        assert len(mine() - before) == 1
        raise KeyError

    assert mine() == before


def test_the_garbage_collector_ends_it(evaluator, mine) -> None:
    before = mine()
    model = evaluator()
    model.predict("1")
    assert len(mine() - before) == 1
    del model
    gc.collect()

    assert mine() == before


def test_it_ends_when_nobody_has_asked_for_long_enough(warm, mine) -> None:
    before = mine()
    model = warm(idle_timeout=0.5)
    first = model.predict("HERE")
    until(lambda: mine() == before)

    assert model.predict("HERE") != first


def test_it_does_not_end_while_it_has_work(warm) -> None:
    model = warm(idle_timeout=0.3)

    assert model.predict("time.sleep(1.5) or HERE") == model.predict("HERE")


def test_work_that_nobody_waits_for_any_more_does_not_keep_it(warm, mine) -> None:
    before = mine()
    model = warm(idle_timeout=0.5, batch_size=1)
    stream = model.predict_stream(instances("1", "time.sleep(600)", "2"))
    assert next(stream) == 1
    stream.close()

    until(lambda: mine() == before)


def test_another_load_option_starts_another(warm, mine) -> None:
    before = mine()
    model = warm(tag="a")
    assert model.predict("model") == "a"
    model.load_options = {**model.load_options, "tag": "[1]"}

    assert model.predict("model") == "[1]"
    assert len(mine() - before) == 1
    model.memory = 2**28
    assert model.predict("model") == "[1]"
    assert len(mine() - before) == 1


def test_close_from_another_thread_ends_the_wait_of_whoever_waits(warm, mine) -> None:
    before = mine()
    model = warm()
    model.predict("1")
    caught: list[Exception] = []

    def wait() -> None:
        try:
            model.predict("time.sleep(600)")
        except ModelError as error:
            caught.append(error)

    waiting = [threading.Thread(target=wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    until(lambda: len(model._pool._jobs) + len(model._pool._workers[0].pending) == 3)
    model.close()
    for thread in waiting:
        thread.join(10)

    assert [str(error) for error in caught] == ["Evaluator was closed before it answered"] * 3
    assert len({id(error) for error in caught}) == 3  # each has `completed` of its own
    assert mine() == before


def test_no_thread_and_no_descriptor_is_left_of_workers_that_have_ended(warm) -> None:
    def held() -> tuple[int, int]:
        gc.collect()
        connect().api.close()  # what it keeps for later
        return threading.active_count(), len([*Path("/proc/self/fd").iterdir()])

    def use() -> None:
        with suppress(ModelError), warm(workers=2, batch_size=1) as model:
            model.predict_batch(instances(*["time.sleep(0.02)"] * 30, "die()"))

    use()  # what is kept for the life of the process is there
    before = held()
    use()
    use()

    until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))


def test_a_stream_does_not_go_on_after_the_model_was_closed(warm, mine) -> None:
    before = mine()
    model = warm(batch_size=1)
    stream = model.predict_stream(instances(*map(str, range(100))))
    assert next(stream) == 0
    model.close()

    with pytest.raises(ModelError, match="was closed before it answered"):
        list(stream)
    assert mine() == before


ENDS = """
import os, sys
from repro.models.docker_model import DockerModel, Program
from repro.models.tutorial import TutorialModel

class Doomed(DockerModel):
    program = Program(image=sys.argv[1], command=("python", "-c", sys.argv[2]))

    def predict(self, code: str) -> object:
        return self.answer(code=code)

model = Doomed(workers=int(sys.argv[4]) if len(sys.argv) > 4 else 1)
model.predict_batch([{"code": "1"}] * 200)
print("warm", flush=True)
exec(sys.argv[3])
"""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", ["pass", "raise KeyError", "sys.exit(3)"])
def test_the_end_of_the_process_ends_it(bookworm, evaluator, how, workers, tmp_path) -> None:
    command = [sys.executable, "-c", ENDS, bookworm, evaluator.program.command[2]]
    done = subprocess.run(
        [*command, how, str(workers)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )

    assert done.stdout == "warm\n"
    assert done.stderr == "" or how == "raise KeyError"
    assert done.returncode == {"pass": 0, "raise KeyError": 1, "sys.exit(3)": 3}[how]
    assert list(tmp_path.iterdir()) == []


STUCK = {
    "sleeping": "note('STUCK') or time.sleep(600)",
    "backtracking": "note('STUCK') or re.match('(a+)+$', 'a' * 40 + 'b')",
    "in a child": "note('STUCK') or subprocess.call(['sh', '-c', 'while :; do :; done'])",
    "in a child that ignores signals": (
        "note('STUCK') or subprocess.call(['sh', '-c', 'trap \"\" HUP TERM INT; sleep 600; true'])"
    ),
    "idle": None,
}


@pytest.mark.parametrize("stuck", STUCK)
def test_no_container_outlives_its_killed_host_for_long(bookworm, evaluator, owned, stuck) -> None:
    code = STUCK[stuck]
    logs = "import logging; logging.basicConfig(level=10, stream=sys.stdout, format='%(message)s')"
    how = f"{logs}; model.predict({code!r})" if code else "print('STUCK', flush=True); input()"
    command = [sys.executable, "-u", "-c", ENDS, bookworm, evaluator.program.command[2], how]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert any(line == b"STUCK\n" for line in process.stdout)
        running = owned(process.pid)
        process.kill()
        process.wait()
    took = until(lambda: not owned(process.pid))
    sweep(connect())

    assert len(running) == 1
    assert took < 5


IMPORTS = """
from repro_runtime import main
import re, sys
sys.stderr.write("STUCK" + chr(10))
sys.stderr.flush()
re.match("(a+)+$", "a" * 40 + "b")
main(None, None)
"""


def test_nor_does_one_that_is_stuck_in_what_it_imports(bookworm, owned) -> None:
    logs = "import logging, sys; logging.basicConfig(level=10, stream=sys.stdout)"
    command = [sys.executable, "-u", "-c", f"{logs}\n{ENDS}", bookworm, IMPORTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert any(b"STUCK" in line for line in process.stdout)
        running = owned(process.pid)
        process.kill()
        process.wait()
    took = until(lambda: not owned(process.pid))
    sweep(connect())

    assert len(running) == 1
    assert took < 5


def by_hand(image: str, program: str, *words: str, **options: Any) -> subprocess.CompletedProcess:
    command = ["docker", "run", "--rm", "-i", "--network", "none", image, "python", "-c", program]
    return subprocess.run(
        [*command, "--worker", *words],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )


def test_a_worker_that_is_run_by_hand_answers_its_file_and_ends_well(
    bookworm, evaluator, tmp_path
) -> None:
    requests = [
        {"id": 1, "op": "predict", "options": {}, "instances": instances("time.sleep(1)", "2")},
        {"id": "x", "op": "predict", "options": {}, "instances": instances("'é'", "3 / 0")},
        {"id": 3, "op": "aggregate", "rows": [1, 2], "more": True},
        {"id": 3, "op": "aggregate", "rows": [3], "more": False},
    ]
    file = tmp_path / "requests.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in requests))
    with file.open("rb") as stdin:
        done = by_hand(bookworm, evaluator.program.command[2], stdin=stdin)
    hello, ready, first, second, third = map(json.loads, done.stdout.splitlines())

    assert done.returncode == 0, done.stderr
    assert hello == {"op": "hello", "version": "1"}
    assert (ready["op"], ready["seconds"] >= 0) == ("ready", True)
    assert first == {"id": 1, "outputs": [None, 2], "more": False}
    assert (second["id"], second["error"]["type"]) == ("x", "ZeroDivisionError")
    assert third == {"id": 3, "value": [1, 2, 3]}


def test_a_worker_that_is_run_by_hand_without_input_ends_well(bookworm, evaluator) -> None:
    program = evaluator.program.command[2]
    done = by_hand(bookworm, program, "--loading", "time.sleep(1)", stdin=subprocess.DEVNULL)

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_a_worker_that_is_run_by_hand_tells_what_is_wrong(engine, bookworm, evaluator) -> None:
    done = by_hand(bookworm, evaluator.program.command[2], "--nonsense", "1", input=b"")

    # Of a container that is removed at its end, podman answers docker's client with 0.
    assert done.returncode == (0 if engine.podman else 2)
    assert done.stderr.startswith(b"error: unknown option --nonsense")


# Batches


def test_batches_are_cut_by_count(shared, monkeypatch) -> None:
    monkeypatch.setattr(shared, "batch_size", 4)

    assert shared.predict_batch(instances(*["n"] * 10)) == [4] * 8 + [2] * 2
    assert list(shared.predict_stream(instances(*["n"] * 9))) == [4] * 8 + [1]


def test_batches_are_cut_by_bytes(shared, monkeypatch) -> None:
    monkeypatch.setattr(worker_mode, "MAX_BATCH", 1000)
    codes = ["n  " + "#" * 300] * 7 + ["n #" + "#" * 5000] + ["n"] * 3

    assert shared.predict_batch(instances(*codes)) == [3] * 6 + [1, 1] + [3] * 3


def test_no_instances_have_no_predictions_and_start_nothing(warm, mine) -> None:
    before = mine()
    model = warm()

    assert model.predict_batch([]) == []
    assert list(model.predict_stream([])) == []
    assert mine() == before


HUGE = 200_000_000  # bytes


def test_an_instance_and_a_prediction_of_200_megabytes_come_through(shared) -> None:
    text = "x" * HUGE

    assert shared.predict_batch(instances("1", f"'{text}'", "2")) == [1, text, 2]


def test_an_answer_larger_than_a_frame_comes_in_several(shared) -> None:
    found = shared.predict_batch(instances(*[f"'{i % 10}' * 3000000" for i in range(30)]))

    assert [(len(one), one[0]) for one in found] == [(3_000_000, str(i % 10)) for i in range(30)]


def test_nothing_blocks_when_both_directions_are_full(shared, monkeypatch) -> None:
    monkeypatch.setattr(shared, "batch_size", 2)
    code = f"len('{'x' * 3_000_000}') * ' '"

    found = shared.predict_stream(instances(*[code] * 16))

    assert [len(one) for one in found] == [3_000_000] * 16


def test_the_next_batch_waits_in_the_container_while_one_is_answered(shared, monkeypatch) -> None:
    """The caller takes his time; the model has its next batch at once, whatever he does."""
    monkeypatch.setattr(shared, "batch_size", 1)
    code = "(time.monotonic(), time.sleep(0.2), time.monotonic())"
    stream = shared.predict_stream(instances(*[code] * 12))
    spans = []
    for begin, _, end in stream:
        time.sleep(0.15)
        spans.append((begin, end))
    gaps = sorted(begin - end for (_, end), (begin, _) in pairwise(spans))

    assert gaps[len(gaps) // 2] < 0.05


def test_instances_are_taken_a_few_batches_ahead_and_no_more(shared, monkeypatch) -> None:
    monkeypatch.setattr(shared, "batch_size", 10)
    taken = []

    def endless() -> Iterator[dict[str, str]]:
        while True:
            taken.append(1)
            yield {"code": "n"}

    stream = shared.predict_stream(endless())
    for _ in range(25):
        assert next(stream) == 10
    stream.close()

    assert len(taken) <= 100
    assert shared.predict("n") == 1


def test_a_consumer_that_takes_his_time_does_not_count_against_the_model(warm) -> None:
    model = warm(timeout=4.0, batch_size=1)
    stream = model.predict_stream(instances("1", "'x' * 30000000", "'y' * 30000000", "HERE"))
    assert next(stream) == 1
    time.sleep(5)

    assert [len(one) for one in stream] == [30_000_000, 30_000_000, 12]
    assert model.isolated == 0


def test_loading_does_not_count_against_a_batch(warm) -> None:
    model = warm(loading="time.sleep(3)", timeout=1.5)

    assert model.predict("HERE") == model.predict("HERE")


@pytest.mark.parametrize("seconds", [1e8, 1e12])
def test_a_very_long_time_is_no_limit(warm, seconds: float) -> None:
    model = warm(timeout=seconds, load_timeout=seconds, idle_timeout=seconds)

    assert model.predict("1") == 1


# Without worker mode


SHELL = """
in=$2; out=$4; echo run by a shell >&2
case $1 in --input-file) ;; *) echo "unknown option $1" >&2; exit 2;; esac
sed 's/.*"code": "\\([^"]*\\)".*/"\\1!"/' <"$in" >"$out"
"""


def test_a_program_without_worker_mode_runs_cold_with_the_same_answers(
    running, bookworm, mine
) -> None:
    before = mine()
    model = running(Program(image=bookworm, command=("sh", "-c", SHELL, "sh")))
    rows = [f"row {number}" for number in range(300)]

    assert model.predict("a") == "a!"
    assert mine() == before
    assert model.predict_batch(instances(*rows)) == [f"{row}!" for row in rows]
    assert list(model.predict_stream(iter(instances(*rows)))) == [f"{row}!" for row in rows]
    assert mine() == before


def test_a_program_that_is_said_to_be_cold_is_never_run_as_a_worker(
    running, bookworm, caplog
) -> None:
    caplog.set_level(logging.DEBUG, logger="repro.container")
    program = Program(image=bookworm, command=("sh", "-c", SHELL, "sh"), cold=True)

    assert running(program).predict("a") == "a!"
    assert caplog.text.count("run by a shell") == 1


def test_a_worker_can_be_done_without(warm, mine) -> None:
    before = mine()
    model = warm(cold=True)
    first = model.predict("HERE")

    assert model.predict("HERE") != first
    assert mine() == before


# A remote engine


@pytest.mark.usefixtures("remote")
def test_a_remote_engine_answers_as_a_local_one(warm) -> None:
    model = warm(batch_size=16)
    first = model.predict("(HERE, os.getuid(), os.path.exists('/exchange'))")
    codes = [f"(HERE, {number}, 'x' * 20000)" for number in range(500)]

    assert first[1] == 10001
    assert model.predict_batch(instances(*codes)) == [
        [first[0], number, "x" * 20000] for number in range(500)
    ]


@pytest.mark.usefixtures("remote")
def test_a_worker_of_a_remote_engine_is_ended_and_replaced(warm, mine) -> None:
    before = mine()
    model = warm()
    code = f"die() if HERE == '{model.predict('HERE')}' else 'another'"

    assert model.predict(code) == "another"
    model.close()
    assert mine() == before


@pytest.mark.parametrize("stuck", ["sleeping", "idle"])
def test_nor_does_a_remote_container_outlive_its_killed_host(
    bookworm, evaluator, owned, remote, stuck
) -> None:
    assert os.environ["DOCKER_HOST"] == remote.address
    test_no_container_outlives_its_killed_host_for_long(bookworm, evaluator, owned, stuck)


# Pickling


def test_a_model_pickles_as_its_class_and_options() -> None:
    model = TutorialModel(memory="300m", workers=2)
    again = pickle.loads(pickle.dumps(model))

    assert (type(again), again.memory, again.workers) == (TutorialModel, 300 * 2**20, 2)
