"""Curves of several methods in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_adacs.benchmark.svg import (
    COLOURS,
    FAINT,
    Drawing,
    Point,
    text_width,
    ticks,
)

_LEFT, _TOP, _BOTTOM = 70.0, 34.0, 46.0
_PLOT, _HEIGHT = 460.0, 340.0
_RIGHT = _LEFT + _PLOT


@dataclass(frozen=True, eq=False)
class Curve:
    """A line in a plot.

    Parameters
    ----------
    name : str
        For the legend; '' for none.
    x, y : (N,) numpy.ndarray
        Its points.
    colour : int
        Number of the colour.
    dashed : bool
        Whether it is dashed.
    dots : bool
        Whether its points are marked.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    colour: int
    dashed: bool = False
    dots: bool = False


def curve_plot(
    title: str, x_label: str, y_label: str, curves: Sequence[Curve]
) -> str:
    """Draw curves from zero upwards, with a legend at the right.

    Parameters
    ----------
    title, x_label, y_label : str
        Words of the plot.
    curves : sequence of Curve
        What to draw.

    Returns
    -------
    str
        An SVG document.
    """
    frame = _Frame(
        max(float(c.x.max()) for c in curves) or 1.0,
        1.05 * max(float(c.y.max()) for c in curves) or 1.0,
    )
    legend = 60 + text_width(curve.name for curve in curves)
    page = Drawing(_RIGHT + legend, _HEIGHT)
    page.text((_LEFT, 20), title, font_size=14, font_weight='bold')
    frame.draw(page, x_label, y_label)
    row = 0
    for curve in curves:
        colour = COLOURS[curve.colour % len(COLOURS)]
        points = [frame.place(*p) for p in zip(curve.x, curve.y, strict=True)]
        look = {'stroke_dasharray': '5 4'} if curve.dashed else {}
        page.line(points, colour, stroke_width=1.8, **look)
        for point in points if curve.dots else []:
            page.dot(point, 3, colour)
        if curve.name:
            y = _TOP + 8 + 18 * row
            x = _RIGHT + 14
            page.line([(x, y), (x + 22, y)], colour, stroke_width=2, **look)
            page.text((x + 28, y + 4), curve.name, font_size=11)
            row += 1
    return page.svg()


@dataclass(frozen=True)
class _Frame:
    """Axes from zero to the largest values."""

    x_most: float
    y_most: float

    def place(self, x: float, y: float) -> Point:
        height = _HEIGHT - _TOP - _BOTTOM
        return (
            _LEFT + _PLOT * float(x) / self.x_most,
            _HEIGHT - _BOTTOM - height * float(y) / self.y_most,
        )

    def draw(self, page: Drawing, x_label: str, y_label: str) -> None:
        corner = self.place(0, 0)
        top, right = self.place(0, self.y_most), self.place(self.x_most, 0)
        for tick in ticks(0, self.y_most):
            _, y = self.place(0, tick)
            page.line([(_LEFT, y), (right[0], y)], FAINT)
            page.text((_LEFT - 6, y + 4), f'{tick:g}', 'end')
        for tick in ticks(0, self.x_most):
            x, _ = self.place(tick, 0)
            page.text((x, corner[1] + 16), f'{tick:g}', 'middle')
        page.line([top, corner, right])
        middle = (_LEFT + right[0]) / 2
        page.text((middle, _HEIGHT - 8), x_label, 'middle')
        centre = (_TOP + corner[1]) / 2
        page.text(
            (16, centre),
            y_label,
            'middle',
            transform=f'rotate(-90 16 {centre:.0f})',
        )
