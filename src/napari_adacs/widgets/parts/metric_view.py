"""The table of metrics, to look at and to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_adacs.app.metric_table import ARROW, metric_table

if TYPE_CHECKING:
    from napari_adacs.evaluation.report import Evaluation

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WARNING = '⚠ '
# More labels scroll.
_MOST_ROWS_SHOWN = 10


class MetricView(QTableWidget):
    """Shows metrics per label, before → after; the last row is the mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName('metrics')
        self.setAccessibleName('metrics per label')
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(
            QAbstractItemView.SelectionBehavior.SelectRows
        )
        self.setSelectionMode(
            QAbstractItemView.SelectionMode.ExtendedSelection
        )
        self.verticalHeader().hide()
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.hide()

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show another table."""
        table = metric_table(evaluation)
        self.setColumnCount(len(table.headers))
        self.setRowCount(len(table.rows))
        self.horizontalHeader().setSectionResizeMode(
            0, QHeaderView.ResizeMode.ResizeToContents
        )
        for column, head in enumerate(table.headers):
            item = QTableWidgetItem(head.replace(' (', '\n('))
            item.setToolTip(table.meanings[column])
            self.setHorizontalHeaderItem(column, item)
        for row, cells in enumerate(table.rows):
            is_mean = row == len(table.rows) - 1
            self._fill(row, cells, table.notes[row], is_mean)
        self._fit()
        self.show()

    def _fill(
        self, row: int, cells: tuple[str, ...], note: str, bold: bool
    ) -> None:
        for column, text in enumerate(cells):
            if column == 0 and note:
                text = f'{_WARNING}{text}'
            # one line for before, one for after: docks are narrow
            item = QTableWidgetItem(text.replace(ARROW, f'\n{ARROW.strip()} '))
            item.setToolTip(note)
            if column:
                item.setTextAlignment(_RIGHT)
            font = item.font()
            font.setBold(bold)
            item.setFont(font)
            self.setItem(row, column, item)

    def _fit(self) -> None:
        """Be as large as the cells need, with a limit to the height."""
        self.resizeRowsToContents()
        # not the present widths: the columns share what is left
        head = self.horizontalHeader()
        width = sum(
            max(self.sizeHintForColumn(i), head.sectionSizeHint(i))
            for i in range(self.columnCount())
        )
        rows = min(self.rowCount(), _MOST_ROWS_SHOWN)
        height = sum(self.rowHeight(row) for row in range(rows))
        height += self.horizontalHeader().sizeHint().height()
        if self.rowCount() > rows:
            width += self.verticalScrollBar().sizeHint().width()
        self.setFixedHeight(height + 2 * self.frameWidth())
        self.setMinimumWidth(width + 2 * self.frameWidth())
