"""Before and after, and what to do with the model that came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.finetune.outcomes import (
    HEADERS,
    MEANINGS,
    offered,
    rows_of,
)
from napari_adacs.widgets.parts.message import Message

if TYPE_CHECKING:
    from napari_adacs.app.finetune.outcomes import Outcome

_MOST_ROWS = 10


class OutcomePanel(QWidget):
    """Hidden until there is a model; `use` fires with how to choose it."""

    use = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.outcome: Outcome | None = None
        self.table = QTableWidget(0, len(HEADERS))
        self.message = Message('outcome', 'What came out of the run.')
        self.button = QPushButton('Use in Register')
        self.button.setObjectName('use_in_register')
        self.button.setToolTip(
            'Open the Register dock with the new model chosen.'
        )
        self._dress()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addWidget(self.message)
        layout.addWidget(self.button)
        self.button.clicked.connect(self._on_use)
        self.show_outcome(None)

    def show_outcome(self, outcome: Outcome | None) -> None:
        """Show what came out; None hides everything."""
        self.outcome = outcome
        self.setVisible(outcome is not None)
        if outcome is None:
            return
        self.message.show_text(offered(outcome))
        rows = rows_of(outcome)
        self.table.setVisible(bool(rows))
        self.table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column > 1:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight
                        | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(row, column, item)
        self._fit()

    def _dress(self) -> None:
        table = self.table
        table.setObjectName('before_after')
        table.setAccessibleName('before and after')
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.verticalHeader().hide()
        table.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        table.horizontalHeader().setSectionResizeMode(
            QHeaderView.ResizeMode.Stretch
        )
        for column, text in enumerate(HEADERS):
            item = QTableWidgetItem(text)
            item.setToolTip(MEANINGS[column])
            table.setHorizontalHeaderItem(column, item)

    def _fit(self) -> None:
        rows = min(self.table.rowCount(), _MOST_ROWS)
        height = sum(self.table.rowHeight(row) for row in range(rows))
        height += self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(height + 2 * self.table.frameWidth())

    def _on_use(self) -> None:
        if self.outcome is not None:
            self.use.emit(self.outcome.offered_as or str(self.outcome.bundle))
