"""A sheet over the window that lists the keys of a dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

if TYPE_CHECKING:
    from napari_adacs.app.review.keys import KeySet

_STYLE = """
QFrame#key_help { background: rgba(20, 22, 26, 235); border-radius: 8px;
    border: 1px solid rgba(255, 255, 255, 60); }
QFrame#key_help QLabel { color: #f0f1f2; background: transparent; }
QFrame#key_help QLabel[kind="key"] { font-weight: bold; padding: 1px 6px;
    border: 1px solid rgba(255, 255, 255, 90); border-radius: 3px; }
QFrame#key_help QLabel[kind="section"] { font-weight: bold; color: #9fc5ff; }
"""


class KeyHelp(QFrame):
    """Lists keys and what they do; a click or `toggle` hides it.

    It lies in the window of the dock, over the canvas, and never takes the
    keyboard: the keys it lists work while it is shown.

    Parameters
    ----------
    keys : KeySet
        What to list.
    anchor : QWidget
        A widget of the window to lie in.
    """

    def __init__(self, keys: KeySet, anchor: QWidget) -> None:
        super().__init__(anchor)
        self._keys = keys
        self._anchor = anchor
        self.setObjectName('key_help')
        self.setStyleSheet(_STYLE)
        self.setToolTip('Click to hide.')
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(18, 14, 18, 14)
        self._grid.setHorizontalSpacing(12)
        self.hide()

    def toggle(self) -> None:
        """Show the keys, or hide them."""
        if self.isHidden():
            self._fill()
            self.setParent(self._anchor.window())
            self.adjustSize()
            room = self.parentWidget().rect()
            self.move(room.center() - self.rect().center())
            self.show()
            self.raise_()
        else:
            self.hide()

    def texts(self) -> list[str]:
        """Return what is listed, row by row."""
        labels = [
            self._grid.itemAt(i).widget() for i in range(self._grid.count())
        ]
        return [label.text() for label in labels]

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Hide."""
        self.hide()

    def _fill(self) -> None:
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        row = 0
        for section, keys in self._keys.listing().items():
            self._grid.addWidget(_label(section, 'section'), row, 0, 1, 2)
            for key, text in keys.items():
                row += 1
                self._grid.addWidget(_label(key, 'key'), row, 0)
                self._grid.addWidget(_label(text, 'text'), row, 1)
            row += 1


def _label(text: str, kind: str) -> QLabel:
    label = QLabel(text)
    label.setProperty('kind', kind)
    if kind == 'key':
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
