"""The one-minute form of `scripts/soak`."""

from __future__ import annotations

from benchmarks.soak import soak


def test_workers_that_are_killed_cost_no_answer_and_leave_nothing() -> None:
    result = soak(predictions=7000, seconds=60, kill_every=5)

    assert result.passed, result
    assert result.killed >= 5
