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

from napari_adacs.app.finetune.outcomes import HEADERS, meanings, rows_of
from napari_adacs.widgets.parts.message import Message

if TYPE_CHECKING:
    from napari_adacs.app.finetune.outcomes import Offer

_MOST_ROWS = 10


class OutcomePanel(QWidget):
    """Hidden until there is a model; `use` fires with how to choose it."""

    use = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer: Offer | None = None
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
        self.hide()

    def show_offer(self, offer: Offer | None) -> None:
        """Show what came out; None hides everything."""
        if offer is self.offer:
            return
        self.offer = offer
        self.setVisible(offer is not None)
        if offer is None:
            return
        self.message.show_text(offer.sentence)
        rows = rows_of(offer.outcome)
        for column, tooltip in enumerate(meanings(offer.outcome)):
            self.table.horizontalHeaderItem(column).setToolTip(tooltip)
        self.table.setVisible(bool(rows))
        self.table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column:
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
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        for column, text in enumerate(HEADERS):
            table.setHorizontalHeaderItem(column, QTableWidgetItem(text))

    def _fit(self) -> None:
        rows = min(self.table.rowCount(), _MOST_ROWS)
        height = sum(self.table.rowHeight(row) for row in range(rows))
        height += self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(height + 2 * self.table.frameWidth())

    def _on_use(self) -> None:
        if self.offer is not None:
            self.use.emit(self.offer.model)
