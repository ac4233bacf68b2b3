"""Several workers behind one stream, several callers of one model, several processes."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from repro.engine.client import connect
from repro.engine.leftovers import sweep
from repro.models.docker_model import Program
from repro.models.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from repro.models.docker_model import DockerModel

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
    """A model with two warm workers, for tests that leave it as it was."""
    with evaluator(workers=2, batch_size=2) as model:
        model.predict_batch(instances(*["time.sleep(0.1)"] * 20))
        yield model


@pytest.fixture
def mine(owned) -> Callable[[], set[str]]:
    """List the containers of this process."""
    return lambda: owned(os.getpid())


# Several workers


def test_answers_come_in_order_from_all_workers(warm, mine) -> None:
    before = mine()
    model = warm(workers=3, batch_size=2)
    codes = [f"(time.sleep({i % 3 * 0.02}), {i}, HERE)" for i in range(120)]
    # None is ready before the others have started.
    found = model.predict_batch(instances(*["time.sleep(1)"] * 24, *codes))[24:]

    assert [number for _, number, _ in found] == list(range(120))
    assert len({here for _, _, here in found}) == len(mine() - before) == 3


def test_no_more_workers_are_started_than_there_is_work_for(warm, mine) -> None:
    before = mine()
    model = warm(workers=8)
    model.predict_batch(instances(*["1"] * 64))

    assert len(mine() - before) == 1


def test_a_slow_batch_does_not_hold_the_others_up(shared) -> None:
    """The next batch goes to whoever is free: one worker sleeps, the other does the rest."""
    stream = shared.predict_stream(
        instances("(HERE, time.sleep(1.5))", "0", *["(HERE, time.sleep(0.05))"] * 16)
    )
    found = [here for here, _ in (one for one in stream if one)]
    by_worker = Counter(found)

    assert len(by_worker) == 2
    # The slow one had another batch in line at most.
    assert by_worker[found[0]] <= 5


def test_the_loss_of_one_worker_is_survived(warm) -> None:
    model = warm(workers=2, batch_size=2)
    victim = model.predict_batch(instances(*["time.sleep(0.2) or HERE"] * 20))[0]
    codes = [f"die() if HERE == '{victim}' and {i} > 9 else {i}" for i in range(60)]

    assert model.predict_batch(instances(*codes)) == list(range(60))
    assert model.isolated == 0


def test_batches_are_the_same_however_many_workers_there_are(shared, warm) -> None:
    codes = ["n"] * 33
    one = warm(batch_size=2)

    assert shared.predict_batch(instances(*codes)) == one.predict_batch(instances(*codes))


SUMS = """
import math, time
from repro_runtime import main

def predict(model, instances):
    time.sleep(0.01)
    return [{"value": i["number"] / 7.0, "order": i["number"]} for i in instances]

def aggregate(rows):
    total, digits = 0.0, []
    for row in rows:
        total += row["value"]  # in another order it has other digits
        digits.append(row["order"])
    return {"total": total, "sorted": digits == sorted(digits), "count": len(digits)}

main(lambda: None, predict, aggregate)
"""


@pytest.fixture
def summing(bookworm: str) -> type[Metric]:
    """A metric whose corpus value depends on the order of the rows."""

    class Sums(Metric):
        program = Program(image=bookworm, command=("python", "-c", SUMS))

        def predict(self, number: int) -> Any:
            return self.answer(number=number)

    return Sums


def test_the_value_over_all_rows_is_the_same_over_one_worker_and_over_four(summing) -> None:
    rows = [{"number": number} for number in range(3000)]
    with summing(batch_size=16) as one, summing(batch_size=16, workers=4) as four:
        first, second = one.predict_batch(rows), four.predict_batch(rows)
        streamed: list[Any] = []
        count = sum(1 for _ in four.predict_stream(iter(rows), on_corpus=streamed.append))

    assert first == second
    assert first[0] == {"total": sum(n / 7.0 for n in range(3000)), "sorted": True, "count": 3000}
    assert (streamed, count) == ([first[0]], 3000)


def test_metrics_of_several_threads_do_not_mix(summing) -> None:
    with summing(workers=2, batch_size=8) as metric, ThreadPoolExecutor(6) as threads:
        corpora = [[{"number": n} for n in range(start, start + 100)] for start in range(6)]
        found = list(threads.map(metric.predict_batch, corpora))

    for corpus, (macro, micro) in zip(corpora, found, strict=True):
        assert [row["order"] for row in micro] == [row["number"] for row in corpus]
        assert macro["count"] == 100
        assert macro["total"] == sum(row["number"] / 7.0 for row in corpus)


# Several callers


def test_sixteen_threads_get_their_own_answers_and_one_container_from_the_first_call(
    warm, mine
) -> None:
    before = mine()
    model = warm()
    barrier = threading.Barrier(16)

    def ask(thread: int) -> list[Any]:
        barrier.wait()
        found: list[Any] = [model.predict(f"({thread}, 'first', HERE)")[:2]]
        found += [model.predict(f"{thread} * 1000 + {i}") for i in range(15)]
        found += model.predict_batch(instances(*[f"({thread}, {i})" for i in range(70)]))
        return found + list(model.predict_stream(instances(*[f"[{thread}]"] * 130)))

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(ask, range(16)))

    for thread, answers in enumerate(found):
        expected: list[Any] = [[thread, "first"]]
        expected += [thread * 1000 + i for i in range(15)]
        expected += [[thread, i] for i in range(70)] + [[thread]] * 130
        assert answers == expected
    assert len(mine() - before) == 1


def test_a_failure_in_one_thread_is_told_to_nobody_else(warm) -> None:
    model = warm()

    def ask(thread: int) -> Any:
        if thread % 4:
            return model.predict(f"time.sleep(0.05) or {thread}")
        try:
            model.predict("throw(Oops('mine'))" if thread % 8 else "die()")
        except Exception as error:  # noqa: BLE001  it is looked at below
            return type(error).__name__
        return None

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(ask, range(32)))

    kinds = {0: "ContainerError", 4: "PredictionError"}
    assert found == [kinds.get(thread % 8, thread) for thread in range(32)]


def test_a_model_can_be_asked_within_its_own_stream(shared) -> None:

    def nested() -> Iterator[dict[str, str]]:
        for number in range(10):
            yield {"code": f"{shared.predict(str(number))} + 1"}

    answers = shared.predict_stream(nested())
    seen = [(answer, shared.predict(f"{answer} * 2")) for answer in answers]

    assert seen == [(number + 1, 2 * number + 2) for number in range(10)]


def test_two_streams_of_one_model_can_be_taken_in_turns(shared) -> None:
    one = shared.predict_stream(instances(*[str(i) for i in range(50)]))
    two = shared.predict_stream(instances(*[str(-i) for i in range(50)]))

    assert list(zip(one, two, strict=True)) == [(i, -i) for i in range(50)]


class Interrupted(Exception):
    """What a signal's handler raises, as Ctrl-C does."""


def test_after_an_interrupt_the_answers_are_right(warm) -> None:
    """It comes while much is sent and received, so that it breaks off something."""
    model = warm(batch_size=1)
    chosen, interrupted = random.Random(7), 0

    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(8):
            model.predict("1")
            size = chosen.randrange(20_000_000, 30_000_000)
            asked = instances(*[f"len('{'x' * size}') * 'y'"] * 3)
            try:
                signal.setitimer(signal.ITIMER_REAL, chosen.uniform(0.01, 0.6))
                found = model.predict_batch(asked)
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert [len(one) for one in found] == [size] * 3
            except Interrupted:
                interrupted += 1
            assert model.predict(f"({size}, n)") == [size, 1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert interrupted > 2


# Several processes


ZOO = """
import os, sys
from repro.models.docker_model import DockerModel, Program

class Evaluator(DockerModel):
    program = Program(image=os.environ["IMAGE"], command=("python", "-c", os.environ["PROGRAM"]))

    def predict(self, code: str) -> object:
        return self.answer(code=code)
"""


@pytest.fixture
def script(evaluator, bookworm, tmp_path: Path) -> Callable[[str], subprocess.Popen[str]]:
    """Start a script in a process of its own; it can import `Evaluator` from `zoo`."""
    (tmp_path / "zoo.py").write_text(ZOO)
    (tmp_path / "tmp").mkdir()

    def start(code: str) -> subprocess.Popen[str]:
        (tmp_path / "script.py").write_text(code)
        environment = {
            **os.environ,
            "IMAGE": bookworm,
            "PROGRAM": evaluator.program.command[2],
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "TMPDIR": str(tmp_path / "tmp"),
        }
        return subprocess.Popen(
            [sys.executable, str(tmp_path / "script.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    return start


def printed(process: subprocess.Popen[str]) -> Any:
    """Wait for the end of a script; return what it printed, read as JSON."""
    out, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    return json.loads(out)


FORKS = """
import json, os
from zoo import Evaluator

model = Evaluator(batch_size=1)
parent = model.predict("HERE")
stream = model.predict_stream({"code": f"({i}, HERE)"} for i in range(12))
before = [next(stream) for _ in range(3)]
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    alone = [model.predict("HERE") for _ in range(2)]
    rest = list(stream)
    os.write(writer, json.dumps([alone, rest]).encode())
    os.close(writer)
    raise SystemExit
os.close(writer)
inside = [model.predict("HERE") for _ in range(20)]
rest = list(stream)
with os.fdopen(reader) as file:
    told = json.load(file)
_, status = os.waitpid(child, 0)
print(json.dumps([parent, before, inside, rest, told, status, model.predict("HERE")]))
"""


def test_a_forked_child_starts_its_own_worker_and_the_parents_still_answers(script) -> None:
    parent, before, inside, rest, (alone, childs), status, last = printed(script(FORKS))

    assert before == [[i, parent] for i in range(3)]
    assert rest == [[i, parent] for i in range(3, 12)]
    assert {*inside, last} == {parent}
    assert len({*alone, parent}) == 2
    assert [i for i, _ in childs] == list(range(3, 12))
    assert status == 0


OUTLIVES = """
import os, signal, sys, time
from zoo import Evaluator

model = Evaluator(workers=2)
model.predict_batch([{"code": "time.sleep(0.01)"}] * 600)
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
sys.stdin.read()
"""


def test_a_child_that_lives_on_does_not_keep_its_killed_parents_container(script, owned) -> None:
    with script(OUTLIVES) as process:
        child = int(process.stdout.readline())
        running = owned(process.pid)
        process.kill()
        process.wait()
        took = until(lambda: not owned(process.pid))
        os.kill(child, 0)  # it lives
        os.kill(child, signal.SIGKILL)
    sweep(connect())

    assert len(running) == 2
    assert took < 5


PROCESSES = """
import json, multiprocessing
from zoo import Evaluator

model = Evaluator(batch_size=4)

def ask(number):
    return number, model.predict(f"{number} * 2"), model.predict("HERE")

if __name__ == "__main__":
    model.predict("1")
    context = multiprocessing.get_context(METHOD)
    with context.Pool(2) as pool:
        found = pool.map(ask, range(20), chunksize=2)
        pool.close()
        pool.join()
    print(json.dumps([found, model.predict("HERE")]))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_multiprocessing_each_have_their_own_worker(
    script, owned, tmp_path, method
) -> None:
    process = script(PROCESSES.replace("METHOD", repr(method)))
    found, parent = printed(process)

    assert [(number, double) for number, double, _ in found] == [(i, 2 * i) for i in range(20)]
    workers = {here for _, _, here in found}
    assert 1 <= len(workers) <= 2
    assert parent not in workers
    assert list((tmp_path / "tmp").glob("repro-*")) == []


PICKLED = """
import json, multiprocessing
from zoo import Evaluator

def ask(model, number):
    return number, model.predict(f"{number} * 2"), model.batch_size

if __name__ == "__main__":
    model = Evaluator(batch_size=4)
    model.predict("1")
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(ask, [model] * 8, range(8)))
    print(json.dumps(found))
"""

JOBLIB = """
import json
from joblib import Parallel, delayed
from zoo import Evaluator

def ask(model, number):
    return number, model.predict(f"{number} * 2"), model.batch_size

if __name__ == "__main__":
    model = Evaluator(batch_size=4)
    model.predict("1")
    found = Parallel(n_jobs=2)(delayed(ask)(model, number) for number in range(8))
    print(json.dumps(found))
"""


@pytest.mark.parametrize("code", [PICKLED, JOBLIB], ids=["executor", "joblib"])
def test_a_pickled_model_answers_in_other_processes(script, code: str) -> None:
    if code is JOBLIB:
        pytest.importorskip("joblib")

    assert printed(script(code)) == [[i, 2 * i, 4] for i in range(8)]


CTRL_C = """
import sys
from zoo import Evaluator

model = Evaluator(workers=2, batch_size=1)
model.predict_batch([{"code": "time.sleep(0.1)"}] * 16)
print("warm", flush=True)
try:
    for _ in model.predict_stream({"code": "time.sleep(0.3)"} for _ in range(10000)):
        print(_, flush=True)
except KeyboardInterrupt:
    print("interrupted", model.predict("1 + 1"), flush=True)
"""


def test_ctrl_c_ends_a_stream_and_the_next_call_is_answered(script, owned, tmp_path) -> None:
    with script(CTRL_C) as process:
        assert process.stdout.readline() == "warm\n"
        assert process.stdout.readline() == "None\n"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE)

    assert out.splitlines()[-1] == "interrupted 2", errors
    assert process.returncode == 0, errors
    assert owned(process.pid) == set()
    assert list((tmp_path / "tmp").glob("repro-*")) == []


# Containers that others remove


def test_a_container_that_is_removed_while_it_is_idle_is_replaced(warm, engine) -> None:
    model = warm()
    first = model.predict("HERE")
    engine.api.remove_container(first, force=True)

    assert model.predict("HERE") != first
    assert model.isolated == 0


def test_a_container_that_is_removed_while_it_is_busy_is_replaced(warm, engine, caplog) -> None:
    caplog.set_level(logging.DEBUG, logger="repro.container")
    model = warm()
    first = model.predict("HERE")
    code = f"note('BUSY') or HERE != '{first}' or time.sleep(600)"
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.append(model.predict_batch(instances(code, "n")))
    )
    thread.start()
    until(lambda: "BUSY" in caplog.text)
    engine.api.remove_container(first, force=True)
    thread.join(PATIENCE)

    assert found == [[True, 2]]
