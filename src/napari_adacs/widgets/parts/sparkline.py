"""The suspicion of all slices at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_adacs.app.review.looks import SUSPICION_HELP, reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_adacs.app.review.verdicts import Judgement
    from napari_adacs.evaluation.slices import SliceFigures

_HEIGHT = 46
_STRIP = 6  # for the verdicts, below the curve


class Sparkline(QWidget):
    """A curve over the volume with the verdicts below it.

    The picture is made when figures, verdicts or size change; moving
    through the volume only paints a line over it. `picked` fires with a
    slice when one is clicked or dragged over.
    """

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName('sparkline')
        self.setAccessibleName('suspicion of the slices')
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._figures: SliceFigures | None = None
        self._judgements: Mapping[int, Judgement] = {}
        self._current = 0
        self._picture: QPixmap | None = None

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size that is low and as wide as may be."""
        return QSize(120, _HEIGHT)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least size."""
        return QSize(60, _HEIGHT)

    def show_slices(
        self,
        figures: SliceFigures | None,
        judgements: Mapping[int, Judgement],
    ) -> None:
        """Show other figures or verdicts."""
        self._figures, self._judgements = figures, judgements
        self._picture = None
        self.update()

    def set_current(self, index: int) -> None:
        """Mark another slice."""
        if index != self._current:
            self._current = index
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the picture, and the line over it."""
        if self._figures is None:
            return
        if self._picture is None:
            self._picture = self._painted()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        x = self._x(self._current)
        painter.setPen(QPen(self.palette().color(_ROLE_TEXT), 2))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Make the picture anew."""
        self._picture = None
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Pick a slice."""
        self._pick(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Pick the slices that are dragged over."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick(event)

    def event(self, event: QHelpEvent) -> bool:
        """Say what is under the mouse."""
        if event.type() == event.Type.ToolTip and self._figures is not None:
            index = self._index(event.pos().x())
            what = ', '.join(reasons(self._figures, index))
            QToolTip.showText(
                event.globalPos(),
                f'<p>Slice {index}: {what}.</p><p>{SUSPICION_HELP}</p>',
                self,
            )
            return True
        handled: bool = super().event(event)
        return handled

    def _pick(self, event: QMouseEvent) -> None:
        if self._figures is not None:
            self.picked.emit(self._index(event.position().x()))

    def _index(self, x: float) -> int:
        count = 1 if self._figures is None else len(self._figures)
        return max(0, min(count - 1, int(x / max(1, self.width()) * count)))

    def _x(self, index: int) -> float:
        count = 1 if self._figures is None else len(self._figures)
        return (index + 0.5) * self.width() / count

    def _painted(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_curve(painter)
        self._paint_verdicts(painter)
        painter.end()
        return pixmap

    def _paint_curve(self, painter: QPainter) -> None:
        base = self.height() - _STRIP - 2
        values = self._figures.suspicion if self._figures is not None else []
        step = self.width() / max(1, len(values))
        outline = [QPointF(0, base)]
        for index, value in enumerate(values):
            y = base - float(value) * (base - 2)
            outline += [
                QPointF(index * step, y),
                QPointF((index + 1) * step, y),
            ]
        outline.append(QPointF(self.width(), base))
        colour = self.palette().color(_ROLE_TEXT)
        line = QPen(colour, 1)
        colour = QColor(colour)
        colour.setAlphaF(0.25)
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(QPolygonF(outline))
        painter.setPen(line)
        painter.drawPolyline(QPolygonF(outline[1:-1]))

    def _paint_verdicts(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        count = 1 if self._figures is None else len(self._figures)
        step = self.width() / count
        faint = QColor(self.palette().color(_ROLE_TEXT))
        faint.setAlphaF(0.12)
        top = self.height() - _STRIP
        painter.fillRect(QRectF(0, top, self.width(), _STRIP), faint)
        for index, judgement in self._judgements.items():
            if judgement.verdict is not None:
                painter.fillRect(
                    QRectF(index * step, top, max(1.0, step), _STRIP),
                    QColor(judgement.verdict.colour),
                )


_ROLE_TEXT = QPalette.ColorRole.WindowText
