"""The metrics of a pair: the table, what to know about it, ways to take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_adacs.app.metric_table import remarks, save_table, tab_separated
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.metric_view import MetricView
from napari_adacs.widgets.parts.take_bar import TakeBar

if TYPE_CHECKING:
    from napari_adacs.evaluation.report import Evaluation


class MetricPanel(QWidget):
    """Shows an evaluation.

    `said` has a sentence and its `Kind`; `label_chosen` the label of the row
    that a person selects, None for the mean.
    """

    said = Signal(str, object)
    label_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.evaluation: Evaluation | None = None
        self.table = MetricView()
        self.remarks = Message('remarks', 'What to know about the table.')
        self.take = TakeBar(
            'metrics',
            self._save,
            {'Copy': self._pasted, 'Copy Markdown': self._markdown},
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addWidget(self.remarks)
        layout.addWidget(self.take)
        self.take.said.connect(self.said)
        self.table.itemSelectionChanged.connect(self._on_selected)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show another evaluation."""
        self.evaluation = evaluation
        self.table.show_evaluation(evaluation)
        doubtful = evaluation.notes or any(row.flags for row in evaluation)
        self.remarks.show_text(
            ' '.join(remarks(evaluation)),
            Kind.WARNING if doubtful else Kind.INFO,
        )
        self.take.set_ready(True)

    def _on_selected(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if len(rows) == 1 and self.evaluation is not None:
            labels = [int(row.label) for row in self.evaluation.rows]
            self.label_chosen.emit([*labels, None][rows[0].row()])

    def _save(self, path: str) -> None:
        if self.evaluation is not None:
            save_table(path, self.evaluation)

    def _pasted(self) -> str:
        return (
            '' if self.evaluation is None else tab_separated(self.evaluation)
        )

    def _markdown(self) -> str:
        return '' if self.evaluation is None else self.evaluation.to_markdown()
