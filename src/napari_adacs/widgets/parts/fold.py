"""A heading that shows and hides what is below it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QToolButton, QVBoxLayout, QWidget


class Fold(QWidget):
    """Hides its contents until somebody wants to see them.

    Parameters
    ----------
    title : str
        What is inside.
    contents : QWidget
        What to show and hide.
    name : str
        Object name of the button.
    tooltip : str
        What is inside, in a sentence.
    """

    def __init__(
        self,
        title: str,
        contents: QWidget,
        name: str,
        tooltip: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.contents = contents
        self.button = QToolButton()
        self.button.setObjectName(name)
        self.button.setText(title)
        self.button.setToolTip(tooltip)
        self.button.setAccessibleName(title)
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(contents)
        self.button.toggled.connect(self._on_toggled)
        self._on_toggled(False)

    def _on_toggled(self, opened: bool) -> None:
        self.contents.setVisible(opened)
        self.button.setArrowType(
            Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        )
