"""Sparsification curves; loads pyqtgraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_adacs.widgets.parts.plot import Plot, draw

if TYPE_CHECKING:
    from napari_adacs.app.plot_palette import Palette
    from napari_adacs.evaluation.sparsification import Sparsification

_HEIGHT = 230
_POINTS = 2001


class TrustPlot(Plot):
    """Mean error of what is left, by the map, by the error, at random."""

    def __init__(
        self, palette: Palette, parent: QWidget | None = None
    ) -> None:
        super().__init__(palette, _HEIGHT, parent)
        self.setObjectName('sparsification_plot')
        self.setAccessibleName('sparsification curve')
        self.setToolTip(
            'Mean error of the voxels that remain when the most uncertain '
            'are removed first. The dashed oracle removes the largest '
            'errors; the dotted line is removal at random.'
        )
        self.axes = self.add_axes(0, 'mean error × 10³', 'removed (%)')
        self.oracle = self.add_curve(self.axes, palette.before, dashed=True)
        self.curve = self.add_curve(self.axes, palette.after)
        between = QColor(palette.after)
        between.setAlpha(45)
        self.axes.addItem(
            pg.FillBetweenItem(self.curve, self.oracle, brush=between)
        )
        dotted = pg.mkPen(palette.text, style=Qt.PenStyle.DotLine)
        self.random = pg.InfiniteLine(angle=0, pen=dotted)
        self.axes.addItem(self.random)

    def show_curves(self, found: Sparsification) -> None:
        """Show another map."""
        # a picture is some hundred pixels wide; the areas are exact
        thin = found.thinned(min(_POINTS, found.fractions.size))
        x = 100 * thin.fractions
        draw(self.curve, x, 1e3 * thin.curve)
        draw(self.oracle, x, 1e3 * thin.oracle)
        self.random.setValue(1e3 * found.random)
        highest = float(max(np.max(thin.curve), found.random))
        self.axes.setXRange(0, 100, padding=0.02)
        self.axes.setYRange(0, 1e3 * highest or 1.0, padding=0.05)
