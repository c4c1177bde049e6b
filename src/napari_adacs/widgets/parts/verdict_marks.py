"""Signs of the verdicts: a shape, a letter and a colour."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from napari_adacs.app.review.verdicts import Verdict

_SIZE = 16


def paint_mark(painter: QPainter, box: QRectF, verdict: Verdict) -> None:
    """Paint the sign of a verdict into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # yellow alone would be lost on a light theme
    painter.setPen(QPen(QColor(Qt.GlobalColor.black), 1))
    painter.setBrush(QColor(verdict.colour))
    text_box = QRectF(box)
    if verdict is Verdict.ACCEPT:
        painter.drawEllipse(box)
    elif verdict is Verdict.FLAG:
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(box.center().x(), box.top() - 1),
                    QPointF(box.right() + 1, box.bottom()),
                    QPointF(box.left() - 1, box.bottom()),
                ]
            )
        )
        text_box.translate(0, box.height() * 0.14)
    else:
        painter.drawRect(box)
    painter.setPen(QColor(Qt.GlobalColor.black))
    font = painter.font()
    font.setPixelSize(max(7, int(box.height() * 0.66)))
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(text_box, Qt.AlignmentFlag.AlignCenter, verdict.letter)
    painter.restore()


def verdict_icon(verdict: Verdict) -> QIcon:
    """Return the sign of a verdict for a button."""
    pixmap = QPixmap(QSize(2 * _SIZE, 2 * _SIZE))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_mark(painter, QRectF(3, 3, 2 * _SIZE - 6, 2 * _SIZE - 6), verdict)
    painter.end()
    return QIcon(pixmap)
