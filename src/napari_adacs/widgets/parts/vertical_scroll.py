"""A scroll area for the contents of a dock."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

_LOWEST = 160


class VerticalScroll(QScrollArea):
    """Scrolls up and down only, and is as wide as its contents need.

    A dock must not force its height upon small screens.

    Parameters
    ----------
    contents : QWidget
        What to show.
    """

    def __init__(
        self, contents: QWidget, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.setWidget(contents)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the width of the contents and a small height."""
        return QSize(self._width(self.widget().minimumSizeHint()), _LOWEST)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the contents."""
        hint = self.widget().sizeHint()
        return QSize(self._width(hint), hint.height())

    def _width(self, hint: QSize) -> int:
        bar = self.verticalScrollBar()
        width: int = hint.width() + bar.sizeHint().width()
        return width
