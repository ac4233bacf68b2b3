"""Figures as SVG, written by hand: they ask for nothing and need no program to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import count, takewhile
from math import asinh, ceil, floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SIZE = 420  # pixels of a side of what is within the axes
LEFT, TOP, RIGHT, BOTTOM = 90, 40, 190, 60
LINEAR_NEAR = 0.01  # below that, a scale of powers is linear
MOST_MARKS = 15

# Told apart by shape and by lightness as well as by colour: the palette of Okabe and Ito.
SHAPES: Mapping[str, tuple[str, str]] = {
    "circle": ("#0072b2", '<circle cx="{x}" cy="{y}" r="4" fill="none" stroke="{colour}"/>'),
    "square": (
        "#e69f00",
        (
            '<rect x="{x}" y="{y}" width="8" height="8" transform="translate(-4 -4)" '
            'fill="{colour}" stroke="#000" stroke-width="0.5"/>'
        ),
    ),
    "cross": (
        "#000000",
        (
            '<path d="M-5 -5 L5 5 M-5 5 L5 -5" transform="translate({x} {y})" '
            'stroke="{colour}" stroke-width="2"/>'
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point: where, of which group, and what it says of itself."""

    x: float
    y: float
    group: str = ""
    title: str = ""


def scatter(
    title: str,
    points: Sequence[Point],
    labels: tuple[str, str],
    *,
    groups: Mapping[str, str] | None = None,
    powers: bool = False,
) -> str:
    """Draw points over a diagonal, where both values are equal; both axes have one range.

    Parameters
    ----------
    title : str
        What stands above.
    points : sequence of Point
        What is drawn.
    labels : (str, str)
        What stands along the two axes.
    groups : mapping of str to str, optional
        The shape, of `SHAPES`, of each group; more than one have a legend.
    powers : bool
        Whether equal steps along the axes are powers of ten, on both sides of 0.
    """
    groups = groups or {"": "circle"}
    values = [value for point in points for value in (point.x, point.y)] or [0.0, 1.0]
    scale = _Scale(min(values), max(values), powers=powers)
    end = LEFT + SIZE
    parts = [
        *_frame(title, *labels),
        (
            f'<line x1="{LEFT}" y1="{TOP + SIZE}" x2="{end}" y2="{TOP}" stroke="#999" '
            'stroke-dasharray="4 3"/>'
        ),
        *_ticks(scale),
    ]
    order = list(groups)
    for point in sorted(points, key=lambda one: order.index(one.group)):  # the last lie on top
        colour, shape = SHAPES[groups[point.group]]
        at = shape.format(x=_round(scale.x(point.x)), y=_round(scale.y(point.y)), colour=colour)
        parts.append(f"<g>{at}<title>{escape(point.title)}</title></g>" if point.title else at)
    if len(groups) > 1:
        counts = {name: sum(point.group == name for point in points) for name in groups}
        parts += _legend(groups, counts)
    return _svg(parts)


def matrix(
    title: str,
    labels: tuple[str, str],
    rows: Sequence[str],
    columns: Sequence[str],
    counts: Mapping[tuple[str, str], int],
) -> str:
    """Draw how often each row's label met each column's, the darker the more often.

    Parameters
    ----------
    title : str
        What stands above.
    labels : (str, str)
        What stands along the two axes, below and on the left.
    rows, columns : sequence of str
        The labels of the two sides.
    counts : mapping of (str, str) to int
        By (row, column); what is not there is 0.
    """
    step = SIZE / max(len(rows), len(columns), 1)
    most = max(counts.values(), default=0) or 1
    parts = [*_frame(title, *labels)]
    for i, row in enumerate(rows):
        parts.append(_text(LEFT - 6, TOP + step * (i + 0.6), row[:12], anchor="end"))
        for j, column in enumerate(columns):
            number = counts.get((row, column), 0)
            x, y = LEFT + step * j, TOP + step * i
            parts.append(
                f'<rect x="{_round(x)}" y="{_round(y)}" width="{_round(step)}" '
                f'height="{_round(step)}" fill="#0072b2" stroke="#ccc" '
                f'fill-opacity="{number / most:.3f}"/>'
            )
            if number:
                light = "#fff" if number / most > 0.6 else "#000"
                parts.append(_text(x + step / 2, y + step * 0.6, f"{number:,}", colour=light))
    for j, column in enumerate(columns):
        parts.append(_text(LEFT + step * (j + 0.5), TOP + SIZE + 16, column[:12]))
    return _svg(parts)


def stacked(figures: Sequence[str]) -> str:
    """Put figures below each other, as one."""
    width, height = LEFT + SIZE + RIGHT, TOP + SIZE + BOTTOM
    body = "".join(
        f'<g transform="translate(0 {height * number})">{figure}</g>'
        for number, figure in enumerate(figures)
    )
    total = height * max(1, len(figures))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" '
        f'viewBox="0 0 {width} {total}">{body}</svg>'
    )


class _Scale:
    """From values to pixels, the same along both axes."""

    def __init__(self, low: float, high: float, *, powers: bool) -> None:
        self._bend: Callable[[float], float] = _bent if powers else float
        self._powers = powers
        room = (self._bend(high) - self._bend(low)) * 0.04 or 0.5
        self._start, self._end = self._bend(low) - room, self._bend(high) + room

    def x(self, value: float) -> float:
        """Tell how far to the right a value is."""
        return LEFT + self._share(value) * SIZE

    def y(self, value: float) -> float:
        """Tell how far down a value is."""
        return TOP + (1 - self._share(value)) * SIZE

    def marks(self) -> list[float]:
        """List the values that are written along the axes."""
        if not self._powers:
            return _even(self._start, self._end)
        powers = [10.0**power for power in range(-1, 309)]
        found = [-power for power in powers[::-1]] + [0.0] + powers
        within = [value for value in found if self._start <= _bent(value) <= self._end]
        return within[:: ceil(len(within) / MOST_MARKS) or 1]

    def _share(self, value: float) -> float:
        return (self._bend(value) - self._start) / (self._end - self._start)


def _bent(value: float) -> float:
    return asinh(value / LINEAR_NEAR)


def _even(start: float, end: float) -> list[float]:
    """List round numbers, about five, between two."""
    rough = (end - start) / 5
    power = 10.0 ** floor(log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough)
    first = ceil(start / step)
    return list(takewhile(lambda v: v <= end, (number * step for number in count(first))))


def _frame(title: str, x_label: str, y_label: str) -> list[str]:
    middle = LEFT + SIZE / 2
    turned = f'transform="rotate(-90 18 {TOP + SIZE / 2})"'
    return [
        f'<rect x="{LEFT}" y="{TOP}" width="{SIZE}" height="{SIZE}" fill="#fff" stroke="#000"/>',
        _text(middle, TOP - 14, title, weight="bold"),
        _text(middle, TOP + SIZE + 44, x_label),
        _text(18, TOP + SIZE / 2, y_label, more=turned),
    ]


def _ticks(scale: _Scale) -> list[str]:
    parts, floor_ = [], TOP + SIZE
    for value in scale.marks():
        x, y = _round(scale.x(value)), _round(scale.y(value))
        parts += [
            f'<path d="M{x} {floor_} v5 M{LEFT} {y} h-5" stroke="#000"/>',
            _text(scale.x(value), floor_ + 20, f"{value:g}"),
            _text(LEFT - 9, scale.y(value) + 4, f"{value:g}", anchor="end"),
        ]
    return parts


def _legend(groups: Mapping[str, str], counts: Mapping[str, int]) -> list[str]:
    parts = []
    for number, (name, shape) in enumerate(groups.items()):
        colour, drawn = SHAPES[shape]
        x, y = LEFT + SIZE + 18, TOP + 14 + 22 * number
        parts.append(drawn.format(x=x, y=y, colour=colour))
        parts.append(_text(x + 14, y + 4, f"{name} ({counts[name]:,})", anchor="start"))
    return parts


def _text(  # noqa: PLR0913  the attributes of one element
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "middle",
    weight: str = "normal",
    colour: str = "#000",
    more: str = "",
) -> str:
    return (
        f'<text x="{_round(x)}" y="{_round(y)}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{colour}" {more}>{escape(text)}</text>'
    )


def _svg(parts: Sequence[str]) -> str:
    width, height = LEFT + SIZE + RIGHT, TOP + SIZE + BOTTOM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        f"{''.join(parts)}</svg>"
    )


def _round(pixels: float) -> float:
    return round(pixels, 1)
