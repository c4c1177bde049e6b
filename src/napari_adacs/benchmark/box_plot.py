"""Box plots of one metric, a box per method."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from napari_adacs.benchmark.svg import (
    COLOURS,
    FAINT,
    INK,
    Drawing,
    text_width,
    ticks,
)

_RIGHT, _TOP, _BOTTOM = 20.0, 34.0, 40.0
_PLOT, _ROW = 520.0, 30.0


def box_plot(
    title: str, unit: str, columns: Mapping[str, NDArray[np.float64]]
) -> str:
    """Draw a lying box per method: quartiles, median, mean, outliers.

    Parameters
    ----------
    title : str
        What was measured.
    unit : str
        Label of the axis.
    columns : mapping of str to (N,) numpy.ndarray
        Values of each method; NaN is left out.

    Returns
    -------
    str
        An SVG document. Whiskers reach to the last value within 1.5
        interquartile ranges; values beyond are dots.
    """
    present = {name: v[np.isfinite(v)] for name, v in columns.items()}
    everything = np.concatenate([*present.values(), np.zeros(0)])
    low, high = _range(everything)
    left = 20 + text_width(present)
    right = left + _PLOT
    height = _TOP + _ROW * len(present) + _BOTTOM
    page = Drawing(right + _RIGHT, height)
    page.text((left, 20), title, font_size=14, font_weight='bold')

    def place(value: float) -> float:
        share = (value - low) / (high - low)
        return left + share * _PLOT

    bottom = height - _BOTTOM
    for tick in ticks(low, high):
        x = place(tick)
        page.line([(x, _TOP), (x, bottom)], FAINT)
        page.text((x, bottom + 16), f'{tick:g}', 'middle')
    page.text((left + _PLOT / 2, height - 6), unit, 'middle')
    for row, (name, values) in enumerate(present.items()):
        y = _TOP + _ROW * (row + 0.5)
        page.text((left - 10, y + 4), name, 'end')
        if values.size:
            colour = COLOURS[row % len(COLOURS)]
            _box(page, values, y, colour, place)
    page.line([(left, _TOP), (left, bottom), (right, bottom)])
    return page.svg()


def _box(
    page: Drawing,
    values: NDArray[np.float64],
    y: float,
    colour: str,
    place: Callable[[float], float],
) -> None:
    q1, median, q3 = np.percentile(values, [25, 50, 75])
    reach = 1.5 * (q3 - q1)
    inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
    half = 0.32 * _ROW
    page.line([(place(inside.min()), y), (place(q1), y)])
    page.line([(place(q3), y), (place(inside.max()), y)])
    page.box(
        (place(q1), y - half),
        (max(place(q3) - place(q1), 1), 2 * half),
        colour,
        fill_opacity=0.35,
        stroke=colour,
    )
    x = place(median)
    page.line([(x, y - half), (x, y + half)], INK, stroke_width=2)
    page.dot((place(values.mean()), y), 3.5, INK)
    for value in values[(values < q1 - reach) | (values > q3 + reach)]:
        page.dot((place(value), y), 2.5, colour)


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin
