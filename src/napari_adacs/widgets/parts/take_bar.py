"""Buttons to take results along: to a file, to the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.result_bar import to_clipboard

_FILES = 'CSV (*.csv);;Markdown (*.md)'


class TakeBar(QWidget):
    """Exports and copies; `said` has a sentence and its `Kind`.

    Parameters
    ----------
    name : str
        What the file is called by default, and what the object names of the
        buttons end with.
    save : callable
        Called with a path; writes CSV or Markdown, as its ending says.
    texts : mapping of str to callable
        For each button that copies, its caption and what makes the text.
    """

    said = Signal(str, object)

    def __init__(
        self,
        name: str,
        save: Callable[[str], None],
        texts: dict[str, Callable[[], str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name, self._save = name, save
        self.export_button = QPushButton('Export…')
        self.export_button.setObjectName(f'export_{name}')
        self.export_button.setToolTip(
            'Write all of it, with all digits, to a CSV or Markdown file.'
        )
        self.export_button.clicked.connect(lambda: self.export())
        self.copy_buttons = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.export_button)
        for caption, text in texts.items():
            row.addWidget(self._copy_button(caption, text))
        self.set_ready(False)

    def set_ready(self, ready: bool) -> None:
        """Say whether there is anything to take."""
        for button in (self.export_button, *self.copy_buttons):
            button.setEnabled(ready)

    def export(self, path: str = '') -> None:
        """Write to a file; ask for its name if there is none."""
        if not path:
            path, _ = QFileDialog.getSaveFileName(
                self, 'Export', f'{self._name}.csv', _FILES
            )
        if not path:
            return
        if not Path(path).suffix:
            path += '.csv'
        try:
            self._save(path)
        except AdacsError as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self.said.emit(f'Wrote {path}', Kind.INFO)

    def _copy_button(
        self, caption: str, text: Callable[[], str]
    ) -> QPushButton:
        button = QPushButton(caption)
        kind = 'markdown' if 'Markdown' in caption else 'table'
        button.setObjectName(f'copy_{kind}_{self._name}')
        button.setToolTip(
            'Copy as a Markdown table.'
            if kind == 'markdown'
            else 'Copy for a spreadsheet, separated by tabs.'
        )
        button.clicked.connect(lambda: self._copy(text))
        self.copy_buttons.append(button)
        return button

    def _copy(self, text: Callable[[], str]) -> None:
        to_clipboard(text())
        self.said.emit('Copied to the clipboard.', Kind.INFO)
