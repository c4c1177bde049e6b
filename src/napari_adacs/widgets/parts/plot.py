"""The ground on which all plots are drawn; loads pyqtgraph.

Import this module, and those that build on it, inside the function that
shows a plot: opening a dock should not wait for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from qtpy import API_NAME
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

# the binding that napari uses, whatever else is installed
os.environ.setdefault('PYQTGRAPH_QT_LIB', API_NAME)

import pyqtgraph as pg  # noqa: E402

if TYPE_CHECKING:
    from napari_adacs.app.plot_palette import Palette

# More points than this are drawn thin and without smoothing.
_MANY_POINTS = 4000
# Up to so many have a dot each.
_DOTTED_POINTS = 128


class Plot(pg.GraphicsLayoutWidget):
    """A picture of one or more plots below each other.

    The wheel scrolls the dock rather than the axes. `pointed` fires with
    the place on the horizontal axis where a person clicks or drags.
    """

    pointed = Signal(float)

    def __init__(
        self, palette: Palette, height: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.palette_used = palette
        self._height = height
        self.setBackground(palette.background)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.setMinimumWidth(180)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.ci.layout.setContentsMargins(0, 2, 6, 6)
        self.ci.layout.setVerticalSpacing(2)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a modest width and the height that was asked for."""
        return QSize(260, self._height)

    def add_axes(self, row: int, left: str, bottom: str = '') -> pg.PlotItem:
        """Add a plot with its axes in the colours of the theme."""
        axes = self.addPlot(row=row, col=0, enableMenu=False)
        axes.hideButtons()
        axes.setMouseEnabled(False, False)
        axes.showGrid(x=True, y=True, alpha=0.18)
        axes.setClipToView(True)
        axes.setDownsampling(auto=True, mode='peak')
        for side in ('left', 'bottom'):
            axis = axes.getAxis(side)
            axis.setPen(pg.mkPen(self.palette_used.grid))
            axis.setTextPen(pg.mkPen(self.palette_used.text))
            axis.enableAutoSIPrefix(False)
        # plots below each other share their left edge
        axes.getAxis('left').setWidth(46)
        axes.setLabel('left', left)
        if bottom:
            axes.setLabel('bottom', bottom)
        else:
            axes.getAxis('bottom').setStyle(showValues=False)
        return axes

    def add_curve(
        self, axes: pg.PlotItem, color: str, *, dashed: bool = False
    ) -> pg.PlotDataItem:
        """Add an empty curve."""
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        # dashes of an old line do not show between the gaps of data
        return axes.plot(
            pen=pg.mkPen(color, width=2, style=style), connect='finite'
        )

    def add_cursor(self, axes: pg.PlotItem) -> pg.InfiniteLine:
        """Add a vertical line that marks a place."""
        color = QColor(self.palette_used.text)
        color.setAlpha(190)
        line = pg.InfiniteLine(angle=90, pen=pg.mkPen(color, width=1))
        axes.addItem(line, ignoreBounds=True)
        return line

    def settle(self) -> None:
        """Find the ranges of the axes before painting, not while.

        Found while painting, they would have everything painted again.
        """
        self.scene().prepareForPaint()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave the wheel to the dock."""
        event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Point at a place."""
        self._point(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Drag along."""
        self._point(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go."""
        event.accept()

    def place_of(self, x: float) -> int:
        """Return the pixel column of a place on the horizontal axis."""
        box = self.ci.getItem(0, 0).getViewBox()
        point = box.mapViewToScene(pg.Point(x, 0))
        return int(self.mapFromScene(point).x())

    def _point(self, event: QMouseEvent) -> None:
        event.accept()
        if not event.buttons() & Qt.MouseButton.LeftButton:
            return
        box = self.ci.getItem(0, 0).getViewBox()
        scene = self.mapToScene(event.position().toPoint())
        self.pointed.emit(float(box.mapSceneToView(scene).x()))


def draw(
    curve: pg.PlotDataItem, x: np.ndarray | None, y: np.ndarray | None
) -> None:
    """Show other data; None hides the curve. Many points are drawn thin."""
    if x is None or y is None:
        curve.setData([], [])
        return
    few = len(x) <= _MANY_POINTS
    pen = curve.opts['pen']
    # wide lines of many points take Qt a hundred times as long
    pen.setWidthF(2.0 if few else 1.0)
    curve.setData(x, y, antialias=few, pen=pen)
    # a slice between empty ones is a dot and no line
    alone = np.count_nonzero(np.isfinite(y)) <= _DOTTED_POINTS
    curve.setSymbol('o' if alone else None)
    curve.setSymbolSize(4)
    curve.setSymbolBrush(pen.color())
    curve.setSymbolPen(None)
