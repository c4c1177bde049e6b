"""What came out, and what to do with it."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.widgets.parts.message import Kind, Message


class ResultBar(QWidget):
    """The result line and buttons below it.

    `copy` fires with what to copy, 'python' or 'command', and how to call
    it.
    """

    remove = Signal()
    copy = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = Message('result', 'What the last run came to.')
        self.remove_button = _button(
            'Remove results',
            'remove_results',
            'Remove the layers of the last registration and no others.',
        )
        self.python_button = _button(
            'Copy as Python',
            'copy_python',
            'Copy Python lines that repeat this registration.',
        )
        self.command_button = _button(
            'Copy as command',
            'copy_command',
            'Copy a shell command that repeats this registration.',
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.message)
        row = QHBoxLayout()
        row.addWidget(self.python_button)
        row.addWidget(self.command_button)
        layout.addLayout(row)
        layout.addWidget(self.remove_button)
        self.remove_button.clicked.connect(self.remove)
        self.python_button.clicked.connect(
            lambda: self.copy.emit('python', 'Python lines')
        )
        self.command_button.clicked.connect(
            lambda: self.copy.emit('command', 'Command')
        )

    def show_text(self, text: str, kind: Kind = Kind.INFO) -> None:
        """Show what came out."""
        self.message.show_text(text, kind)

    def show_warning(self, text: str) -> None:
        """Show what is not possible."""
        self.show_text(text, Kind.WARNING)

    def set_enabled(self, *, remove: bool, copy: bool) -> None:
        """Say which buttons make sense."""
        self.remove_button.setEnabled(remove)
        self.python_button.setEnabled(copy)
        self.command_button.setEnabled(copy)


def to_clipboard(text: str) -> None:
    """Put a text on the clipboard."""
    clipboard = QApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)


def _button(text: str, name: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tooltip)
    button.setEnabled(False)
    return button
