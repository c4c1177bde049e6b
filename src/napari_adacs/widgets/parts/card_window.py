"""The card of a model in a window of its own."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

_SIZE = (820, 680)


class CardWindow(QDialog):
    """Shows a card beside the viewer, which stays usable.

    Parameters
    ----------
    markdown : str
        The card.
    parent : QWidget
        Whose model it is.
    """

    def __init__(self, markdown: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName('model_card')
        self.setWindowTitle('Model card')
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QTextBrowser()
        self.text.setAccessibleName('model card')
        self.text.setOpenExternalLinks(True)
        self.text.setMarkdown(markdown)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(*_SIZE)
