"""The window's part in showing views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qtpy.QtCore import QTimer
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QWidget

from napari_adacs.app.review.host import Host


def host_of(widget: QWidget) -> Host:
    """Return what the window that a widget lies in does for views.

    Parameters
    ----------
    widget : QWidget
        Any widget of the window, or one that holds a canvas.
    """

    @contextmanager
    def drawing() -> Iterator[None]:
        canvas = _canvas_near(widget)
        if canvas is None:
            yield
            return
        canvas.makeCurrent()
        try:
            yield
        finally:
            canvas.doneCurrent()

    return Host(_later, drawing)


def _canvas_near(widget: QWidget) -> QOpenGLWidget | None:
    """Return the canvas in a widget, or else that of what holds it.

    A dock that floats is a window of its own, held by the main one.
    """
    where: QWidget | None = widget
    while where is not None:
        for canvas in where.findChildren(QOpenGLWidget):
            # one that was never shown has nothing to draw
            if canvas.isValid():
                return canvas
        where = where.parentWidget()
    return None


def _later(action: Callable[[], None]) -> None:
    QTimer.singleShot(0, action)
