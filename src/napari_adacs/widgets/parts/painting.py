"""Painting a widget once, however much of it changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget


@contextmanager
def painted_once(widget: QWidget) -> Iterator[None]:
    """Leave a widget as it looks until its changes and layouts are done.

    A window with a canvas of OpenGL is put together anew whenever any part of
    it is painted. Text that changes is painted once by itself and once more
    when layouts have followed it, and a progress bar paints without waiting
    for anything: each costs as much as painting everything once.
    """
    if not widget.updatesEnabled():
        yield
        return
    widget.setUpdatesEnabled(False)
    try:
        yield
    finally:
        # After the layouts, which are events of this turn.
        QTimer.singleShot(0, lambda: _paint(widget))


def _paint(widget: QWidget) -> None:
    with suppress(RuntimeError):  # the widget is gone
        widget.setUpdatesEnabled(True)
