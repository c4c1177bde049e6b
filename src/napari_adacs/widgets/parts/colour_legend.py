"""A colour bar with its ends, a mark and a unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from napari.utils.colormaps import Colormap

_STOPS = 24
_BAR, _MARGIN = 12, 6


class ColourLegend(QWidget):
    """Shows what the colours of a map mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours: list[QColor] = []
        self._limits = 0.0, 1.0
        self._mark: float | None = None
        self._unit = ''
        height = _BAR + 2 * self.fontMetrics().height() + _MARGIN
        self.setMinimumHeight(height)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.setObjectName('colour_legend')

    def show_map(
        self,
        colormap: Colormap,
        limits: tuple[float, float],
        mark: float | None,
        unit: str,
    ) -> None:
        """Show other colours.

        Parameters
        ----------
        colormap : Colormap
            From low to high.
        limits : tuple of float
            Values of its ends.
        mark : float or None
            A value to mark.
        unit : str
            What the numbers are.
        """
        shares = [i / (_STOPS - 1) for i in range(_STOPS)]
        self._colours = [
            QColor.fromRgbF(*(float(c) for c in rgba))
            for rgba in colormap.map(shares)
        ]
        self._limits, self._mark, self._unit = limits, mark, unit
        low, high = limits
        self.setToolTip(f'{unit}: {low:.3g} to {high:.3g}')
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw."""
        if not self._colours:
            return
        painter = QPainter(self)
        bar = QRectF(_MARGIN, 0, self.width() - 2 * _MARGIN, _BAR)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for i, colour in enumerate(self._colours):
            gradient.setColorAt(i / (_STOPS - 1), colour)
        painter.fillRect(bar, Qt.GlobalColor.black)
        painter.fillRect(bar, gradient)
        painter.setPen(self.palette().text().color())
        painter.drawRect(bar)
        self._write(painter, bar)

    def _write(self, painter: QPainter, bar: QRectF) -> None:
        low, high = self._limits
        line = self.fontMetrics().height()
        text = QRectF(bar.left(), bar.bottom() + 2, bar.width(), line)
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft, f'{low:.3g}')
        painter.drawText(text, Qt.AlignmentFlag.AlignRight, f'{high:.3g}')
        if self._mark is not None and high > low:
            share = min(max((self._mark - low) / (high - low), 0), 1)
            place = bar.left() + share * bar.width()
            painter.fillRect(
                QRectF(place - 1, 0, 3, _BAR + 3), Qt.GlobalColor.white
            )
        painter.drawText(
            text.translated(0, line), Qt.AlignmentFlag.AlignCenter, self._unit
        )
