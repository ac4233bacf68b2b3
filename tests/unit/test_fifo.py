"""Lines that wait: in their order, in bounded memory, on bounded disk."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.data import fifo
from repro.data.fifo import Fifo

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.one_of(st.none(), st.binary(max_size=20)), max_size=60), st.integers(1, 300))
def test_what_is_added_comes_out_in_its_order(steps: list[bytes | None], memory: int) -> None:
    expected: deque[bytes] = deque()

    with pytest.MonkeyPatch.context() as patch, Fifo() as found:
        patch.setattr(fifo, "MEMORY", memory)
        patch.setattr(fifo, "PIECE", 30)
        for step in steps:
            if step is not None:
                found.put(step)
                expected.append(step)
            elif expected:
                assert found.take() == expected.popleft()
            assert len(found) == len(expected)
        assert [found.take() for _ in expected] == list(expected)
        with pytest.raises(IndexError, match="nothing waits"):
            found.take()


def test_the_disk_holds_no_more_than_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fifo, "MEMORY", 1000)
    monkeypatch.setattr(fifo, "PIECE", 1000)
    line = b"x" * 1000
    sizes = []

    with Fifo() as found:
        for _ in range(50):
            found.put(line)
        for _ in range(1000):
            found.put(line)
            assert found.take() == line
            files = (found._reading, found._writing)
            sizes.append(sum(os.fstat(file.fileno()).st_size for file in files if file))

    assert max(sizes) < 110 * (len(line) + fifo.LENGTH)


def test_few_lines_take_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not-there"))

    with Fifo() as found:
        found.put(b"a")

        assert found.first() == b"a"
        assert found.take() == b"a"
