"""A line that says what the lines of a plot are."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

_LINES = {
    'solid': Qt.PenStyle.SolidLine,
    'dashed': Qt.PenStyle.DashLine,
    'dotted': Qt.PenStyle.DotLine,
}


class Legend(QWidget):
    """Pieces of line with their names beside each other.

    Parameters
    ----------
    entries : sequence of (text, color, style) tuple
        Style is 'solid', 'dashed' or 'dotted'.
    """

    def __init__(
        self,
        entries: list[tuple[str, str, str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(46, 0, 0, 0)
        row.setSpacing(4)
        for text, color, style in entries:
            row.addWidget(_Line(QColor(color), _LINES[style]))
            row.addWidget(QLabel(text))
            row.addSpacing(8)
        row.addStretch(1)


class _Line(QWidget):
    """A short piece of line."""

    def __init__(self, color: QColor, style: Qt.PenStyle) -> None:
        super().__init__()
        self._pen = QPen(color, 2, style)
        self.setFixedSize(QSize(24, 12))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setPen(self._pen)
        middle = self.height() // 2
        painter.drawLine(0, middle, self.width(), middle)
        painter.end()
