"""The frames of an attached container, taken apart as they arrive."""

from __future__ import annotations

import io
import random
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.engine.stream import STDERR, STDOUT, Demultiplexer, Lines, frames

FRAMES = st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=40)), max_size=12)


def wire(written: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes([s, 0, 0, 0]) + len(p).to_bytes(4, "big") + p for s, p in written)


def cut(data: bytes, seed: int, most: int = 9) -> list[bytes]:
    """Cut into pieces as a socket might."""
    chosen, pieces = random.Random(seed), []
    while data:
        size = chosen.randint(1, most)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def joined(pieces: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Put neighbouring pieces of one stream together."""
    some = [one for one in pieces if one[1]]
    return [(s, b"".join(p for _, p in group)) for s, group in groupby(some, lambda one: one[0])]


@given(FRAMES, st.integers(0, 99))
def test_frames_are_the_same_however_they_are_cut(written, seed) -> None:
    demultiplexer = Demultiplexer()
    found = [one for piece in cut(wire(written), seed) for one in demultiplexer.feed(piece)]

    assert joined(found) == joined(written)


@given(FRAMES)
def test_both_readers_of_frames_agree(written) -> None:
    data = wire(written)

    assert joined(list(Demultiplexer().feed(data))) == joined(list(frames(io.BytesIO(data))))


def test_what_has_arrived_of_a_frame_is_not_held_back() -> None:
    demultiplexer = Demultiplexer()
    data = wire([(STDOUT, b"a long one")])

    assert list(demultiplexer.feed(data[:12])) == [(STDOUT, b"a lo")]
    assert list(demultiplexer.feed(data[12:])) == [(STDOUT, b"ng one")]


@given(st.binary(max_size=200).map(lambda b: b.replace(b"\r", b"\n")), st.integers(0, 99))
def test_lines_are_the_same_however_they_are_cut(data, seed) -> None:
    lines = Lines()
    found = [line for piece in cut(data, seed) for line in lines.feed(piece)]
    *whole, last = data.split(b"\n")

    assert found == whole
    assert lines.size == len(last)


def test_an_endless_line_can_be_cut_and_its_end_still_ends_it() -> None:
    lines = Lines()
    for _ in range(10):
        assert list(lines.feed(b"x" * 100)) == []
        lines.cut(50)

    assert lines.size == 50
    assert list(lines.feed(b"y\nnext\n")) == [b"x" * 50 + b"y", b"next"]
    assert lines.size == 0


def test_a_line_of_many_pieces_takes_no_time_that_grows_with_their_square() -> None:
    lines, count = Lines(), 200_000
    for _ in range(count):
        assert not list(lines.feed(b"0123456789"))
    (line,) = lines.feed(b"\n")

    assert len(line) == 10 * count


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_frame_that_breaks_off_is_no_frame(size: int) -> None:
    assert list(Demultiplexer().feed(wire([(STDOUT, b"x")])[:size])) == []
