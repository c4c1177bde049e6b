"""A small table of pairs of open layers, to tick and to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QSizePolicy,
    QStyledItemDelegate,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

if TYPE_CHECKING:
    from napari_adacs.app.finetune.layer_pairs import LayerPair
    from napari_adacs.app.session import LayerRef

NAME, PATIENT = 0, 5
_COLUMNS = (
    ('Pair', 'name', 'Tick the pairs to train on. Double-click to rename.'),
    ('Moving', 'moving', 'The image that is deformed.'),
    ('Fixed', 'fixed', 'The image to which it is aligned.'),
    ('M. lab.', 'moving_labels', 'Labels of the moving image, or none.'),
    ('F. lab.', 'fixed_labels', 'Labels of the fixed image, or none.'),
    (
        'Patient',
        'patient',
        (
            'Pairs of one patient are never divided between training and '
            'validation.'
        ),
    ),
)
_NOTHING = '–'
_MOST_ROWS = 6
_POPUP_WIDTH = 260

References = Callable[[], 'Sequence[LayerRef]']


class PairTable(QTableWidget):
    """Shows pairs; `changed` fires when a person changes one.

    Parameters
    ----------
    images, labels : callable
        Return what a pair can be made of at the time.
    """

    changed = Signal()

    def __init__(
        self,
        images: References,
        labels: References,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._choices = {
            'moving': images,
            'fixed': images,
            'moving_labels': labels,
            'fixed_labels': labels,
        }
        self._pairs: list[LayerPair] = []
        self._filling = False
        self.setObjectName('pairs')
        self.setAccessibleName('pairs of layers')
        self.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self.verticalHeader().hide()
        self.setSelectionBehavior(
            QAbstractItemView.SelectionBehavior.SelectRows
        )
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.SelectedClicked
        )
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.setMinimumWidth(240)
        self.setItemDelegate(_Delegate(self))
        self._head()
        self.itemChanged.connect(self._on_item_changed)
        self.show_pairs(())

    def pairs(self) -> tuple[LayerPair, ...]:
        """Return the pairs as they are now, ticked or not."""
        return tuple(self._pairs)

    def show_pairs(self, pairs: Sequence[LayerPair]) -> None:
        """Show other pairs without telling anybody."""
        self._filling = True
        self._pairs = list(pairs)
        self.setRowCount(len(self._pairs))
        for row in range(len(self._pairs)):
            self._fill(row)
        self._filling = False
        self._fit()

    def choices(self, column: int) -> list[LayerRef | None]:
        """Return what a cell can be set to; empty for one of text."""
        key = _COLUMNS[column][1]
        if key not in self._choices:
            return []
        found: list[LayerRef | None] = list(self._choices[key]())
        return [None, *found] if key.endswith('labels') else found

    def chosen(self, row: int, column: int) -> LayerRef | None:
        """Return the layer in a cell."""
        value: LayerRef | None = getattr(self._pairs[row], _COLUMNS[column][1])
        return value

    def choose(
        self, row: int, column: int, reference: LayerRef | None
    ) -> None:
        """Put a layer into a cell; what choosing it in its list does."""
        if self.chosen(row, column) != reference:
            self._change(row, **{_COLUMNS[column][1]: reference})

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a modest width."""
        return QSize(300, self.height())

    def _head(self) -> None:
        for column, (title, _, tooltip) in enumerate(_COLUMNS):
            item = QTableWidgetItem(title)
            item.setToolTip(tooltip)
            self.setHorizontalHeaderItem(column, item)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(30)

    def _fill(self, row: int) -> None:
        pair = self._pairs[row]
        for column, (_, key, _) in enumerate(_COLUMNS):
            value = getattr(pair, key)
            item = QTableWidgetItem(_NOTHING if value is None else str(value))
            item.setToolTip(item.text())
            if column == NAME:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(
                    Qt.CheckState.Checked
                    if pair.used
                    else Qt.CheckState.Unchecked
                )
            self.setItem(row, column, item)

    def _on_item_changed(self, item: QTableWidgetItem) -> None:
        if self._filling:
            return
        row, column = item.row(), item.column()
        if column == NAME:
            used = item.checkState() == Qt.CheckState.Checked
            name = item.text().strip() or self._pairs[row].name
            self._change(row, used=used, name=name)
        elif column == PATIENT:
            self._change(row, patient=item.text().strip())

    def _change(self, row: int, **values: Any) -> None:
        self._pairs[row] = replace(self._pairs[row], **values)
        self._filling = True
        self._fill(row)
        self._filling = False
        self.changed.emit()

    def _fit(self) -> None:
        """Be as high as the rows need, with a limit."""
        rows = min(max(1, self.rowCount()), _MOST_ROWS)
        height = rows * self.verticalHeader().defaultSectionSize()
        height += self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(height + 2 * self.frameWidth() + 2)


class _Delegate(QStyledItemDelegate):
    """Offers the layers where a cell holds one."""

    def __init__(self, table: PairTable) -> None:
        super().__init__(table)
        self._table = table

    def createEditor(  # noqa: N802
        self, parent: QWidget, option: Any, index: QModelIndex
    ) -> QWidget:
        choices = self._table.choices(index.column())
        if not choices:
            return super().createEditor(parent, option, index)
        combo = QComboBox(parent)
        combo.view().setMinimumWidth(_POPUP_WIDTH)
        for reference in choices:
            text = _NOTHING if reference is None else str(reference)
            combo.addItem(text, reference)
        row, column = index.row(), index.column()
        now = self._table.chosen(row, column)
        combo.setCurrentIndex(choices.index(now) if now in choices else 0)
        combo.activated.connect(lambda _: self.commitData.emit(combo))
        combo.activated.connect(lambda _: self.closeEditor.emit(combo))
        return combo

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802
        if not isinstance(editor, QComboBox):
            super().setEditorData(editor, index)

    def setModelData(  # noqa: N802
        self, editor: QWidget, model: Any, index: QModelIndex
    ) -> None:
        if isinstance(editor, QComboBox):
            self._table.choose(
                index.row(), index.column(), editor.currentData()
            )
        else:
            super().setModelData(editor, model, index)
