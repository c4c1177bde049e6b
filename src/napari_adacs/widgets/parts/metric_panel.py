"""The metrics of a pair: the table, what to know about it, ways to take it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.metric_table import remarks, save_table, tab_separated
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.metric_view import MetricView
from napari_adacs.widgets.parts.result_bar import to_clipboard

if TYPE_CHECKING:
    from napari_adacs.evaluation.report import Evaluation

_FILES = 'CSV (*.csv);;Markdown (*.md)'


class MetricPanel(QWidget):
    """Shows an evaluation; `said` has a sentence and its `Kind`."""

    said = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.evaluation: Evaluation | None = None
        self.table = MetricView()
        self.remarks = Message('remarks', 'What to know about the table.')
        self.export_button = _button(
            'Export CSV…',
            'export_csv',
            'Write all metrics, with all digits, to a CSV or Markdown file.',
        )
        self.copy_button = _button(
            'Copy table',
            'copy_table',
            'Copy all metrics for a spreadsheet, separated by tabs.',
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addWidget(self.remarks)
        row = QHBoxLayout()
        row.addWidget(self.export_button)
        row.addWidget(self.copy_button)
        layout.addLayout(row)
        self.export_button.clicked.connect(lambda: self.export())
        self.copy_button.clicked.connect(self.copy)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show another evaluation."""
        self.evaluation = evaluation
        self.table.show_evaluation(evaluation)
        doubtful = evaluation.notes or any(row.flags for row in evaluation)
        self.remarks.show_text(
            ' '.join(remarks(evaluation)),
            Kind.WARNING if doubtful else Kind.INFO,
        )
        self.export_button.setEnabled(True)
        self.copy_button.setEnabled(True)

    def export(self, path: str = '') -> None:
        """Write the table to a file; ask for its name if there is none."""
        if self.evaluation is None:
            return
        if not path:
            path, _ = QFileDialog.getSaveFileName(
                self, 'Export metrics', 'metrics.csv', _FILES
            )
        if not path:
            return
        if not Path(path).suffix:
            path += '.csv'
        try:
            save_table(path, self.evaluation)
        except AdacsError as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self.said.emit(f'Wrote {path}', Kind.INFO)

    def copy(self) -> None:
        """Put the table on the clipboard."""
        if self.evaluation is not None:
            to_clipboard(tab_separated(self.evaluation))
            self.said.emit('Table copied to the clipboard.', Kind.INFO)


def _button(text: str, name: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tooltip)
    button.setEnabled(False)
    return button
