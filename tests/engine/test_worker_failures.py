"""What a caller gets when a warm model fails: DESIGN.md, section 5, line by line."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from repro.engine import worker as workers
from repro.errors import (
    ContainerError,
    EngineUnavailable,
    InstanceError,
    ModelError,
    OutOfMemory,
    OutputError,
    PredictionError,
    PredictionTimeout,
)
from repro.models.docker_model import Program as DockerProgram
from repro.models.failure import Failure
from repro.models.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60  # seconds for what takes one on an idle machine


def instances(*codes: str) -> list[dict[str, str]]:
    return [{"code": code} for code in codes]


def failures(answers: list[Any]) -> dict[int, Any]:
    """Pick the failures, by their place."""
    found = {place: one for place, one in enumerate(answers) if isinstance(one, Failure)}
    assert all(place == one.index for place, one in found.items())
    return found


def starts(caplog: pytest.LogCaptureFixture) -> int:
    """Count the containers that were started."""
    return sum(": started " in f": {r.getMessage()}" for r in caplog.records)


def until(holds: Callable[[], Any], limit: float = PATIENCE) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="repro.container")


# A worker is lost


DEATHS = {
    "exit": ("note('last words', die())", ContainerError, "ended with status 3"),
    "exit 0": ("die(0)", ContainerError, "ended with status 0"),
    "segfault": ("ctypes.string_at(0)", ContainerError, "was ended by signal 11"),
    "kill": ("os.kill(os.getpid(), 9) or time.sleep(60)", ContainerError, "by signal 9"),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_batch_that_kills_its_worker_is_sent_twice_and_then_told(
    engine, warm, caplog, death
) -> None:
    code, kind, text = DEATHS[death]
    model = warm()
    with pytest.raises(kind, match=text) as caught:
        model.predict_batch(instances(code))

    # Podman does not tell of what was killed for memory, so it may have been that.
    assert type(caught.value) is (OutOfMemory if death == "kill" and engine.podman else kind)
    assert "over instance 0" in str(caught.value)
    assert starts(caplog) == 2
    assert model.predict("'goes on'") == "goes on"


def test_the_error_has_the_last_words_of_the_program(warm) -> None:
    with pytest.raises(ContainerError) as caught:
        warm().predict("note('line 1') or note('line 2') or die()")

    assert caught.value.lines[-2:] == ("line 1", "line 2")


def test_a_batch_that_is_lost_once_is_sent_again_whole(warm, caplog) -> None:
    model = warm(batch_size=4)
    first = model.predict("HERE")
    codes = [f"die() if HERE == '{first}' and {i} == 5 else n" for i in range(10)]

    assert model.predict_batch(instances(*codes)) == [4] * 8 + [2] * 2
    assert model.isolated == 0
    assert starts(caplog) == 2


def test_a_batch_that_is_lost_twice_is_sent_row_by_row(warm, caplog) -> None:
    model = warm(batch_size=3)
    codes = ["n", "n", "n", "die() if n > 1 else n", "n", "n", "n", "n", "n"]

    assert model.predict_batch(instances(*codes)) == [3, 3, 3, 1, 1, 1, 3, 3, 3]
    assert model.isolated == 3
    assert starts(caplog) == 3


def test_the_row_that_alone_kills_its_worker_is_the_culprit(warm) -> None:
    model = warm(batch_size=4)
    codes = [*map(str, range(6)), "die()", *map(str, range(7, 12))]
    with pytest.raises(ContainerError, match="over instance 6") as caught:
        model.predict_batch(instances(*codes))
    assert list(caught.value.completed) == list(range(6))

    found = model.predict_batch(instances(*codes), on_error="record")
    assert {place: one.kind for place, one in failures(found).items()} == {6: "ContainerError"}
    assert [one for one in found if not isinstance(one, Failure)] == [*range(6), *range(7, 12)]


def test_a_last_line_without_an_end_is_kept(warm) -> None:
    with pytest.raises(ContainerError) as caught:
        warm().predict("note('first') or os.write(2, b'no end') * 0 or die()")

    assert caught.value.lines[-2:] == ("first", "no end")


# Memory


EATS = "len(b'x' * 300_000_000)"
CHILD_EATS = f"subprocess.call([sys.executable, '-c', \"{EATS}\"])"


@pytest.mark.parametrize(
    "code", [EATS, CHILD_EATS, f"{CHILD_EATS} and 'answered all the same'"], ids=range(3)
)
def test_what_is_killed_for_memory_is_told_with_the_limit(warm, code: str) -> None:
    model = warm(memory="64m", batch_size=2)
    with pytest.raises(OutOfMemory, match="killed for memory over instance 1") as caught:
        model.predict_batch(instances("1", code))

    assert caught.value.limit == 64 * 2**20
    assert "its limit was 64 MiB; give it more (memory=…" in str(caught.value)
    assert list(caught.value.completed) == [1]
    assert model.predict("2") == 2


def test_loading_that_needs_too_much_memory_is_told(warm, caplog) -> None:
    for loading in (EATS, CHILD_EATS):
        caplog.clear()
        with pytest.raises(OutOfMemory, match="its limit was 64 MiB"):
            warm(memory="64m", loading=loading).predict("1")
        assert starts(caplog) == 3


# Time


def test_a_row_that_takes_too_long_is_the_culprit_and_the_others_are_answered(warm, caplog) -> None:
    model = warm(timeout=2.0, batch_size=3)
    codes = ["n", "n", "n", "n", "time.sleep(600)", "n", "n"]
    started = time.monotonic()
    found = model.predict_batch(instances(*codes), on_error="record")

    assert time.monotonic() - started < PATIENCE
    assert found[:4] + found[5:] == [3, 3, 3, 1, 1, 1]
    assert failures(found)[4].error.args == ("Evaluator", 2.0, 4, "answer")
    assert model.isolated == 2
    assert starts(caplog) == 3

    with pytest.raises(PredictionTimeout, match="within 2 s over instance 4 and was stopped"):
        model.predict_batch(instances(*codes))


def test_a_batch_that_waits_its_turn_is_not_late(warm, caplog) -> None:
    model = warm(timeout=2.5, batch_size=1)

    assert model.predict_batch(instances(*["time.sleep(1.0)"] * 5)) == [None] * 5
    assert starts(caplog) == 1


def test_rows_that_are_only_slow_together_are_answered_alone(warm) -> None:
    model = warm(timeout=2.5, batch_size=3)

    assert model.predict_batch(instances(*["time.sleep(1.2) or n"] * 3)) == [1, 1, 1]
    assert model.isolated == 3


@pytest.mark.parametrize("stream", [1, 2])
def test_a_program_that_prints_without_end_is_stopped_in_time(warm, stream: int) -> None:
    model = warm(timeout=2.0)
    started = time.monotonic()
    with pytest.raises(PredictionTimeout):
        model.predict(f"[os.write({stream}, b'x' * 65536) for _ in iter(int, 1)]")

    assert time.monotonic() - started < PATIENCE


def test_loading_that_takes_too_long_is_told_at_once(warm, caplog) -> None:
    model = warm(load_timeout=1.5, timeout=0.5, loading="time.sleep(600)")
    with pytest.raises(PredictionTimeout, match=r"did not load within 1\.5 s .*load_timeout="):
        model.predict("1")

    assert starts(caplog) == 1


# Exceptions


def test_an_exception_names_its_row_and_has_its_traceback(warm, caplog) -> None:
    model = warm(batch_size=3)
    with pytest.raises(
        PredictionError, match="raised Oops over instance 4: no such word"
    ) as caught:
        model.predict_batch(instances("0", "1", "2", "3", "throw(Oops('no such word'))", "5"))

    assert (caught.value.index, caught.value.kind, caught.value.message) == (
        4,
        "Oops",
        "no such word",
    )
    assert "in throw" in caught.value.traceback
    assert list(caught.value.completed) == [0, 1, 2, 3]
    assert starts(caplog) == 1


@pytest.mark.parametrize(
    "raised", ["Oops('no', 2)", "Oops('no')", "Oops('no', 99)", "SystemExit(4)"]
)
def test_an_exception_isolates_its_row_and_the_others_are_answered(warm, raised: str) -> None:
    model = warm(batch_size=4)
    with_index = raised == "Oops('no', 2)"
    codes = ["n", "n", f"throw({raised})", "n", "n"]
    found = model.predict_batch(instances(*codes), on_error="record")

    alone = 3 if with_index else 1
    assert found[:2] + found[3:] == [alone, alone, alone, 1]
    assert failures(found)[2].kind in {"Oops", "SystemExit"}
    assert model.isolated == 3


def test_a_stream_counts_what_it_has_given(warm) -> None:
    model = warm(batch_size=2)
    taken = []
    stream = model.predict_stream(instances(*map(str, range(7)), "throw(Oops('no'))", "8"))
    with pytest.raises(PredictionError) as caught:
        taken.extend(stream)

    assert taken == list(range(7))
    assert caught.value.completed == 7


def test_failures_beyond_the_limit_end_the_call(warm) -> None:
    model = warm(batch_size=2)
    codes = [f"throw(Oops('{i}')) if {i} % 3 == 0 else {i}" for i in range(12)]

    found = model.predict_batch(instances(*codes), on_error="record", max_errors=4)
    assert [one.message for one in failures(found).values()] == ["0", "3", "6", "9"]

    stream = model.predict_stream(instances(*codes), on_error="record", max_errors=2)
    with pytest.raises(PredictionError, match="over instance 6: 6") as caught:
        list(stream)
    assert caught.value.completed == 6


def test_an_exception_in_load_is_told_at_once(warm, caplog) -> None:
    with pytest.raises(PredictionError, match="raised Oops: no weights") as caught:
        warm(loading="throw(Oops('no weights'))").predict("1")

    assert caught.value.index is None
    assert "in load" in caught.value.traceback
    assert starts(caplog) == 1


def test_three_deaths_while_loading_are_enough_and_the_log_is_told(warm, caplog) -> None:
    with pytest.raises(ContainerError, match="ended with status 9") as caught:
        warm(loading="note('cannot load') or die(9)").predict("1")

    assert caught.value.lines[-1] == "cannot load"
    assert starts(caplog) == 3


def test_an_instance_that_does_not_fit_is_told_before_anything_starts(warm, caplog) -> None:
    with pytest.raises(InstanceError, match="did you mean 'code'"):
        warm().predict_batch([{"cod": "1"}])

    assert starts(caplog) == 0


# Predictions that are none


BAD = {
    "set()": "the prediction is not JSON",
    "u'\\ud800'": r"lone surrogate \(U\+D800\)",
    "eval('[' * 80 + ']' * 80)": None,
    "__import__('json').loads('[' * 600 + ']' * 600)": "nested deeper than 256",
    "10 ** 4400": "more than 4,300 digits|Exceeds the limit|not JSON",
}


@pytest.mark.parametrize("code", BAD)
def test_a_prediction_that_is_none_is_named_and_the_others_are_answered(warm, code: str) -> None:
    model = warm(batch_size=4)
    found = model.predict_batch(instances("1", "2", code, "4", "5", "6"), on_error="record")

    if BAD[code] is None:
        assert not failures(found)
        return
    assert found[:2] + found[3:] == [1, 2, 4, 5, 6]
    assert isinstance(failures(found)[2].error, OutputError)
    with pytest.raises(OutputError, match=BAD[code]) as caught:
        model.predict(code)
    assert caught.value.index == 0


def test_nan_comes_through_in_python(warm) -> None:
    assert repr(warm().predict("[float('nan'), -float('inf')]")) == "[nan, -inf]"


@pytest.mark.parametrize(
    ("returns", "problem"),
    [
        ("instances[1:]", "predict returned 2 predictions for 3 instances"),
        ("instances * 2", "predict returned 6 predictions for 3 instances"),
        ("None", "predict returned NoneType, not a list"),
        ("{}", "predict returned dict, not a list"),
    ],
)
def test_a_wrong_number_of_predictions_is_the_whole_batchs(
    running, returns: str, problem: str
) -> None:
    program = f"from repro_runtime import main\nmain(lambda: 0, lambda model, instances: {returns})"
    model = running(program)
    with pytest.raises(OutputError, match=problem):
        model.predict_batch(instances("a", "b", "c"))

    found = model.predict_batch(instances("a", "b", "c"), on_error="record")
    assert list(failures(found)) == [0, 1, 2]


# Hostile programs


HOSTILE = """
import json, os, sys, time

def say(*frames):
    for frame in frames:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        os.write(1, text.encode() + b"\\n")

def requests():
    for line in sys.stdin:
        yield json.loads(line)

HELLO, READY = {"op": "hello", "version": "1"}, {"op": "ready", "seconds": 0}
"""
GREETS = HOSTILE + "say(HELLO, READY)\n"
ANSWERS = GREETS + "for r in requests():\n    n = len(r['instances'])\n    "
HOSTILES = {
    "garbage": ANSWERS + "say('garbage')",
    "garbage and an answer": ANSWERS + "say('[[', {'id': r['id'], 'outputs': [1] * n})",
    "no object": ANSWERS + "say([1])",
    "null": ANSWERS + "say('null')",
    "nothing in a line": ANSWERS + "say('')",
    "an unknown id": ANSWERS + "say({'id': 10 ** 9, 'outputs': [1] * n})",
    "no id": ANSWERS + "say({'outputs': [1] * n})",
    "an answer before a request": GREETS + "say({'id': 1, 'outputs': [1]})\ntime.sleep(60)",
    "too many": ANSWERS + "say({'id': r['id'], 'outputs': [1] * (n + 1)})",
    "too few": ANSWERS + "say({'id': r['id'], 'outputs': []})",
    "more and more": ANSWERS + "[say({'id': r['id'], 'outputs': [1], 'more': True}) for _ in '12']",
    "outputs that are no list": ANSWERS + "say({'id': r['id'], 'outputs': {'0': 1}})",
    "an error that is none": ANSWERS + "say({'id': r['id'], 'error': 'no'})",
    "an index that is none": ANSWERS + "say({'id': r['id'], 'error': {'index': 10 ** 30}})",
    "not UTF-8": ANSWERS + "os.write(1, b'{\"id\": \\xff}\\n')",
    "a key twice": ANSWERS + "say('{\"id\": %d, \"id\": 2}' % r['id'])",
    "ready without hello": HOSTILE + "say(READY, HELLO, READY, READY)",
    "something else than ready": HOSTILE + "say(HELLO, {'op': 'hello'})\ntime.sleep(60)",
    "not ready": HOSTILE + "say(HELLO, {'op': 'ready', 'error': 7})",
}


@pytest.mark.parametrize("program", HOSTILES)
def test_a_program_that_breaks_the_protocol_is_an_error(running, program: str) -> None:
    model = running(HOSTILES[program], load_timeout=20, timeout=20)
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        model.predict("x")

    assert not isinstance(caught.value, PredictionTimeout)
    assert time.monotonic() - started < PATIENCE


def test_a_second_hello_is_as_good_as_none(running) -> None:
    """What comes before the greeting is taken for prints: also what looks like frames."""
    program = HOSTILE + "say(READY, 'text', HELLO, READY)\n"
    answers = "for r in requests():\n    say({'id': r['id'], 'outputs': [1] * len(r['instances'])})"

    assert running(program + answers).predict("x") == 1


def test_a_line_without_end_is_no_frame(running, monkeypatch) -> None:
    monkeypatch.setattr(workers, "MAX_FRAME", 10_000_000)
    endless = ANSWERS + "[os.write(1, b'x' * 65536) for _ in iter(int, 1)]"
    with pytest.raises(OutputError, match="a line without end"):
        running(endless).predict("x")


def test_a_program_that_closes_its_output_and_lives_on_is_stopped_in_time(running) -> None:
    program = ANSWERS + "os.close(1); os.close(2); time.sleep(600)"
    with pytest.raises(PredictionTimeout):
        running(program, timeout=1.0).predict("x")


# Programs without worker mode that fail


def test_a_program_that_fails_before_its_greeting_is_told_as_it_is_told_cold(running) -> None:
    program = "import sys; sys.stderr.write('no such module\\n'); sys.exit(1)"
    with pytest.raises(ContainerError, match="ended with status 1") as caught:
        running(program).predict("x")

    assert caught.value.lines == ("no such module",)


# Corpora


BROKEN_CORPUS = """
import os
from repro_runtime import main

def aggregate(rows):
    rows = list(rows)
    if rows[0] == "raise":
        raise ValueError("no corpus of these")
    if rows[0] == "die":
        os._exit(3)
    if rows[0] == "set":
        return set()
    return len(rows)

main(lambda: None, lambda model, instances: [i["text"] for i in instances], aggregate)
"""


@pytest.fixture
def counting(bookworm: str) -> type[Metric]:
    class Counting(Metric):
        program = DockerProgram(image=bookworm, command=("python", "-c", BROKEN_CORPUS))
        Row, Corpus = str, int

        def predict(self, text: str) -> int:
            return self.answer(text=text)

    return Counting


def texts(*words: str) -> list[dict[str, str]]:
    return [{"text": word} for word in words]


def test_a_corpus_that_fails_is_told(counting) -> None:
    with counting() as metric:
        for word, kind, text in (
            ("raise", PredictionError, "raised ValueError: no corpus of these"),
            ("die", ContainerError, "ended with status 3"),
            ("set", OutputError, "not JSON"),
        ):
            with pytest.raises(kind, match=text) as caught:
                metric.predict_batch(texts(word, "b"))
            assert list(caught.value.completed) == [word, "b"]
        assert metric.predict_batch(texts("a", "b")) == (2, ["a", "b"])


def test_a_program_without_an_aggregate_says_so(running, bookworm) -> None:
    class Without(Metric):
        program = DockerProgram(
            image=bookworm,
            command=(
                "python",
                "-c",
                "from repro_runtime import main\nmain(lambda: 0, lambda m, i: [1] * len(i))",
            ),
        )

        def predict(self, text: str) -> Any:
            return self.answer(text=text)

    with Without() as metric, pytest.raises(OutputError, match="has no such function: aggregate"):
        metric.predict("x")


# The engine


def test_an_engine_that_goes_away_is_told(warm, severed, owned) -> None:
    model = warm()
    assert model.predict("1") == 1
    caught: list[Exception] = []

    def ask() -> None:
        try:
            model.predict("time.sleep(600)")
        except EngineUnavailable as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)  # at any moment of it
    severed.close()
    thread.join(PATIENCE)

    assert str(severed.address) in str(caught[0])
    with pytest.raises(EngineUnavailable):
        model.predict("1")


@pytest.mark.parametrize("busy", [False, True])
def test_connections_that_break_are_made_again(warm, severed, caplog, busy) -> None:
    model = warm()
    first = model.predict("HERE")
    if not busy:
        severed.cut()
        assert model.predict("HERE") != first
        return
    found: list[Any] = []
    code = f"note('BUSY') or HERE != '{first}' or time.sleep(600)"
    thread = threading.Thread(target=lambda: found.append(model.predict(code)))
    thread.start()
    until(lambda: "BUSY" in caplog.text)
    started = time.monotonic()
    severed.cut()
    thread.join(PATIENCE)

    assert found == [True]
    assert time.monotonic() - started < 15


# A program that is not what it was


def test_rows_are_not_lost_when_a_later_worker_dies_before_its_greeting(warm) -> None:
    """It had a worker mode before, so it has one: nothing is taken up again cold."""
    model = warm(batch_size=1)
    stream = model.predict_stream(instances("1", "die()", "3", "4"))
    assert next(stream) == 1
    model._pool._spec = replace(model._pool._spec, command=("sh", "-c", "exit 5"))

    with pytest.raises(ContainerError, match="ended with status 5") as caught:
        list(stream)
    assert caught.value.completed == 1
    assert model.cold is None
