"""What becomes of a batch, and of a corpus, when workers fail: the rules, without a container."""

from __future__ import annotations

import json
from typing import Any

import pytest

from repro.engine.jobs import CORPUS_FRAME, Batch, Corpus
from repro.errors import (
    ContainerError,
    EngineError,
    OutOfMemory,
    OutputError,
    PredictionError,
    PredictionTimeout,
)

DIED = ("image", ("run",), 139, ("last words",))


def batch(count: int, *, patient: bool = False, start: int = 0) -> Batch:
    rows = [b'{"n": %d}' % number for number in range(start, start + count)]
    return Batch("model", start, rows, b'{"k": 1}', patient=patient)


def asked(job: Batch) -> list[int]:
    """Tell which instances the next request asks for."""
    (frame,) = job.next_request().frames
    return [instance["n"] for instance in json.loads(frame)["instances"]]


def answer(job: Any, outputs: list[Any] | None = None, **failed: Any) -> None:
    """Answer the next request with these outputs, or with its instances' numbers."""
    request = job.next_request()
    numbers = [i["n"] for i in json.loads(next(request.frames))["instances"]]
    request.outputs = numbers if outputs is None else outputs
    for name, value in failed.items():
        setattr(request, name, value)
    job.answered(request)


def raised(index: int | None = None) -> PredictionError:
    return PredictionError("model", index, "ValueError", "no", "trace")


def test_a_batch_is_one_request_with_its_options() -> None:
    job = batch(3, start=7)
    request = job.next_request()
    (frame,) = request.frames

    assert frame.endswith(b"}\n")
    assert json.loads(frame) == {
        "id": request.number,
        "op": "predict",
        "options": {"k": 1},
        "instances": [{"n": 7}, {"n": 8}, {"n": 9}],
    }
    assert request.size == 3


def test_every_request_has_a_number_of_its_own() -> None:
    job = batch(2)

    assert job.next_request().number < job.next_request().number


def test_a_batch_that_is_answered_is_done() -> None:
    job = batch(3)
    answer(job, ["a", None, "c"])

    assert job.done
    assert job.outputs == job.leading == ["a", None, "c"]
    assert (job.isolated, job.failures) == (0, {})


def test_a_batch_without_instances_is_done() -> None:
    assert batch(0).done


def test_a_lost_batch_is_asked_again_whole_once_and_then_each_alone() -> None:
    job = batch(3)
    job.lost(ContainerError(*DIED))
    assert asked(job) == [0, 1, 2]
    job.lost(ContainerError(*DIED))

    alone = []
    while not job.done:
        alone.append(asked(job))
        answer(job)
    assert alone == [[0], [1], [2]]
    assert job.outputs == [0, 1, 2]
    assert job.isolated == 3


def test_a_batch_over_its_time_is_not_asked_again_whole() -> None:
    job = batch(2)
    job.lost(PredictionTimeout("model", 1.0))

    assert asked(job) == [0]


def test_the_one_that_alone_kills_a_worker_is_the_culprit() -> None:
    job = batch(3, start=10, patient=True)
    job.lost(ContainerError(*DIED))
    job.lost(ContainerError(*DIED))
    answer(job)
    job.lost(OutOfMemory(*DIED, 2**26))
    answer(job)

    assert job.done
    assert job.outputs == [10, None, 12]
    assert job.failures[1].index == 11
    assert isinstance(job.failures[1], OutOfMemory)
    assert job.leading == [10]
    assert job.isolated == 2


def test_the_first_culprit_ends_a_batch_that_is_not_patient() -> None:
    job = batch(3)
    job.lost(PredictionTimeout("model", 1.0))
    answer(job)
    job.lost(PredictionTimeout("model", 1.0))

    assert job.done
    assert job.leading == [0]
    assert job.failures[1].args == ("model", 1.0, 1, "answer")


def test_a_batch_of_one_is_asked_twice() -> None:
    job = batch(1, start=5)
    job.lost(ContainerError(*DIED))
    assert not job.done
    job.lost(ContainerError(*DIED))

    assert job.done
    assert job.failures[0].index == 5


def test_an_exception_with_an_index_isolates_its_instance_at_once() -> None:
    job = batch(4, start=4, patient=True)
    answer(job, failure=raised(2))
    assert asked(job) == [4, 5, 7]
    answer(job)

    assert job.done
    assert job.outputs == [4, 5, None, 7]
    assert job.failures[2].index == 6
    assert job.isolated == 3


@pytest.mark.parametrize("failure", [raised(), raised(17), OutputError("model", "is not JSON")])
def test_a_failure_that_names_no_instance_of_the_batch_is_looked_for(failure) -> None:
    job = batch(3, patient=True)
    answer(job, failure=failure)
    answer(job)
    answer(job, failure=raised(0))
    answer(job)

    assert job.done
    assert job.outputs == [0, None, 2]
    assert list(job.failures) == [1]


def test_a_wrong_number_of_predictions_is_the_fault_of_every_instance() -> None:
    job = batch(3, start=3, patient=True)
    answer(job, failure=OutputError("model", "it answered 2"), divisible=False)

    assert job.done
    assert [error.index for error in job.failures.values()] == [3, 4, 5]
    assert job.isolated == 0


def test_a_batch_that_fails_has_its_error() -> None:
    job = batch(2)
    job.fail(EngineError("gone"))

    assert job.done
    assert str(job.error) == "gone"


def lines(count: int, size: int) -> list[bytes]:
    return [b'"%s"' % (b"%d" % (number % 10) * size) for number in range(count)]


def test_a_corpus_is_sent_in_frames_that_are_not_large_and_end() -> None:
    rows = lines(9, CORPUS_FRAME // 4)
    request = Corpus(lambda: iter(rows)).next_request()
    sent = list(request.frames)
    read = [json.loads(frame) for frame in sent]

    assert all(frame.endswith(b"}\n") and len(frame) < 1.5 * CORPUS_FRAME for frame in sent)
    assert len(sent) > 2
    assert [frame["more"] for frame in read] == [True] * (len(sent) - 1) + [False]
    assert {frame["id"] for frame in read} == {request.number}
    assert [row for frame in read for row in frame["rows"]] == [json.loads(row) for row in rows]
    assert request.size is None


def test_a_corpus_that_is_lost_is_sent_again_once() -> None:
    corpus = Corpus(lambda: iter(lines(2, 3)))
    corpus.lost(ContainerError(*DIED))
    assert not corpus.done
    assert len(list(corpus.next_request().frames)) == 2
    corpus.lost(ContainerError(*DIED))

    assert corpus.done
    assert isinstance(corpus.error, ContainerError)


def test_a_corpus_has_its_value_or_its_error() -> None:
    good, bad = Corpus(lambda: iter([])), Corpus(lambda: iter([]))
    request = good.next_request()
    request.outputs = [0.5]
    good.answered(request)
    request = bad.next_request()
    request.failure = raised()
    bad.answered(request)

    assert (good.done, good.value, good.error) == (True, 0.5, None)
    assert (bad.done, str(bad.error)) == (True, "model raised ValueError: no\n    trace")


def test_rows_that_nobody_waits_for_any_more_are_not_read() -> None:
    corpus = Corpus(lambda: (read.append(row) or row for row in lines(9, CORPUS_FRAME)))
    read: list[bytes] = []
    frames = corpus.next_request().frames
    next(frames)
    corpus.done = True
    before = len(read)
    left = list(frames)

    assert len(read) == before
    assert json.loads(left[-1])["more"] is False
