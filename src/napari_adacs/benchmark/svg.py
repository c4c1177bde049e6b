"""Small drawings as SVG text, without a plotting library.

A report must open offline from an installation without matplotlib, and box
plots and curves need little more than lines, boxes and words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

Point = tuple[float, float]

# Okabe and Ito: told apart with any colour vision, and in grey.
COLOURS = (
    '#0072b2',
    '#d55e00',
    '#009e73',
    '#cc79a7',
    '#e69f00',
    '#56b4e9',
    '#7f7f7f',
    '#b8a800',
)
INK = '#222222'
FAINT = '#d0d0d0'


class Drawing:
    """Shapes on a white page, in pixels from the top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self._size = width, height
        self._shapes: list[str] = []

    def line(
        self, points: Sequence[Point], colour: str = INK, **look: object
    ) -> None:
        """Draw a line through points; `look` are SVG attributes."""
        path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
        self._shapes.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}"'
            f'{_attributes(look)}/>'
        )

    def box(
        self, corner: Point, size: Point, colour: str, **look: object
    ) -> None:
        """Draw a filled box from its top left corner."""
        (x, y), (width, height) = corner, size
        self._shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" fill="{colour}"{_attributes(look)}/>'
        )

    def dot(self, centre: Point, radius: float, colour: str) -> None:
        """Draw a dot."""
        x, y = centre
        self._shapes.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" '
            f'fill="{colour}" fill-opacity="0.6"/>'
        )

    def text(
        self, place: Point, words: str, anchor: str = 'start', **look: object
    ) -> None:
        """Write words; `anchor` is start, middle or end."""
        x, y = place
        self._shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'fill="{INK}"{_attributes(look)}>{escape(words)}</text>'
        )

    def svg(self) -> str:
        """Return the drawing as an SVG document."""
        width, height = (f'{side:g}' for side in self._size)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="12">'
        )
        page = f'<rect width="{width}" height="{height}" fill="white"/>'
        return '\n'.join([head, page, *self._shapes, '</svg>'])


def text_width(words: Iterable[str]) -> float:
    """Return about how wide the longest of some words is, in pixels."""
    return 7.0 * max((len(word) for word in words), default=0)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between two values, at most so many."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _attributes(look: dict[str, object]) -> str:
    return ''.join(
        f' {name.replace("_", "-")}="{escape(str(value))}"'
        for name, value in look.items()
    )
