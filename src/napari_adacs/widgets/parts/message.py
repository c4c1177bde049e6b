"""A line of text with a sign of what kind it is."""

from __future__ import annotations

from enum import Enum

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStyle, QWidget

_ICON_SIZE = 16


class Kind(Enum):
    """What a message is; the icon is the style's own."""

    INFO = None
    WARNING = QStyle.StandardPixmap.SP_MessageBoxWarning
    ERROR = QStyle.StandardPixmap.SP_MessageBoxCritical


class Message(QWidget):
    """Shows some sentences, wrapped, that can be selected and copied.

    Parameters
    ----------
    name : str
        Object name of the label.
    tooltip : str
        What the message is about.
    """

    def __init__(
        self, name: str, tooltip: str = '', parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._icon = QLabel(self)
        self._text = QLabel(self)
        self._text.setObjectName(name)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding
        )
        self.setToolTip(tooltip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self.kind = Kind.INFO
        self.show_text('')

    def show_text(self, text: str, kind: Kind = Kind.INFO) -> None:
        """Show a text; an empty one hides the message."""
        self.kind = kind
        self._text.setText(text)
        if kind.value is not None:
            icon = self.style().standardIcon(kind.value)
            self._icon.setPixmap(icon.pixmap(_ICON_SIZE, _ICON_SIZE))
        self._icon.setVisible(kind.value is not None)
        self.setVisible(bool(text))

    def text(self) -> str:
        """Return what is shown."""
        shown: str = self._text.text()
        return shown
