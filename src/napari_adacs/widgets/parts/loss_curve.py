"""The residual while a pair is refined."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QSize
from qtpy.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

_HEIGHT = 36
_MARGIN = 3


class LossCurve(QWidget):
    """A curve from the first step to the last; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName('loss_curve')
        self.setAccessibleName('residual of each refining step')
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self._losses: tuple[float, ...] = ()
        self.hide()

    @property
    def losses(self) -> tuple[float, ...]:
        """What is shown."""
        return self._losses

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size that is low and as wide as may be."""
        return QSize(120, _HEIGHT)

    def show_losses(self, losses: Sequence[float]) -> None:
        """Show another curve."""
        self._losses = tuple(losses)
        self.setVisible(len(self._losses) > 1)
        if self._losses:
            self.setToolTip(
                f'Residual of each refining step: {self._losses[0]:.4g} at '
                f'first, {self._losses[-1]:.4g} now. It starts anew at each '
                'resolution.'
            )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the curve."""
        if len(self._losses) < 2:
            return
        low, high = min(self._losses), max(self._losses)
        span = (high - low) or 1.0
        width = self.width() - 2 * _MARGIN
        height = self.height() - 2 * _MARGIN
        last = len(self._losses) - 1
        points = [
            QPointF(
                _MARGIN + width * i / last,
                _MARGIN + height * (high - loss) / span,
            )
            for i, loss in enumerate(self._losses)
        ]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(QPen(colour, 1.5))
        painter.drawPolyline(QPolygonF(points))
        painter.end()
