"""DSC and surface distance slice by slice; loads pyqtgraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QWidget

from napari_adacs.widgets.parts.plot import Plot, draw

if TYPE_CHECKING:
    from napari_adacs.app.plot_palette import Palette
    from napari_adacs.evaluation.slice_table import SliceCurves

_HEIGHT = 270
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class SlicePlot(Plot):
    """Two curves each, before and after, and a cursor at the slice shown."""

    def __init__(
        self, palette: Palette, parent: QWidget | None = None
    ) -> None:
        super().__init__(palette, _HEIGHT, parent)
        self.setObjectName('slice_plot')
        self.setAccessibleName('metrics slice by slice')
        self.setToolTip(
            'Click or drag to show a slice; ← and → go one slice on. '
            'Dashed is before registration, solid after.'
        )
        self.dsc = self.add_axes(0, 'DSC')
        self.distance = self.add_axes(1, 'ASSD', 'slice')
        self.distance.setXLink(self.dsc)
        self.dsc.setYRange(0, 1, padding=0.05)
        marks = [(x, f'{x:g}') for x in (0, 0.25, 0.5, 0.75, 1)]
        self.dsc.getAxis('left').setTicks([marks])
        self.curves = {
            (name, when): self.add_curve(
                axes, getattr(palette, when), dashed=when == 'before'
            )
            for name, axes in (('dsc', self.dsc), ('far', self.distance))
            for when in ('before', 'after')
        }
        self.cursors = [
            self.add_cursor(axes) for axes in (self.dsc, self.distance)
        ]
        self._n = 0

    def show_curves(
        self, curves: SliceCurves, metric: str, left: str, bottom: str
    ) -> None:
        """Show another label, axis or distance.

        Parameters
        ----------
        curves : SliceCurves
            What to draw.
        metric : {'assd', 'hd'}
            The distance.
        left, bottom : str
            Titles of the axes of the distance.
        """
        self._n = curves.n_slices
        index = np.arange(self._n)
        for name, values in (
            ('dsc', curves.values('dsc')),
            ('far', curves.values(metric)),
        ):
            for when, y in zip(('before', 'after'), values, strict=True):
                draw(self.curves[name, when], index, y)
        self.distance.setLabel('left', left)
        self.distance.setLabel('bottom', bottom)
        low, high = _extent(curves)
        self.dsc.setXRange(low, high, padding=0.06)
        both = [y for y in curves.values(metric) if y is not None]
        finite = [y[np.isfinite(y)] for y in both]
        highest = max((float(y.max()) for y in finite if y.size), default=1)
        self.distance.setYRange(0, highest or 1.0, padding=0.05)

    def set_cursor(self, index: float) -> None:
        """Mark the slice that the viewer shows."""
        for cursor in self.cursors:
            cursor.setValue(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Go to the next slice."""
        step = _STEPS.get(event.key())
        if step is None:
            super().keyPressEvent(event)
            return
        self.pointed.emit(round(self.cursors[0].value()) + step)


def _extent(curves: SliceCurves) -> tuple[int, int]:
    """Return the first and the last slice in which there is anything."""
    known = [y for y in curves.values('dsc') if y is not None]
    there = np.flatnonzero(np.isfinite(known).any(axis=0))
    if not there.size:
        return 0, max(curves.n_slices - 1, 1)
    return int(there[0]), max(int(there[-1]), int(there[0]) + 1)
