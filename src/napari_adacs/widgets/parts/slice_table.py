"""The list of slices with suspicion, verdict and note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor, QPainter, QPalette, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from napari_adacs.app.review.looks import (
    COMPONENT_COLOURS,
    SUSPICION_HELP,
    reasons,
    suspicion_text,
)
from napari_adacs.app.review.verdicts import NOTHING
from napari_adacs.widgets.parts.verdict_marks import paint_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_adacs.app.review.verdicts import Judgement
    from napari_adacs.evaluation.slices import SliceFigures

_HEADERS = ('Slice', '', 'Suspicion', 'Note')
_TIPS = (
    'Index of the slice. Click to list the slices in order.',
    'Verdict: A accepted, F flagged, R rejected.',
    SUSPICION_HELP + ' Click to list the worst slices first.',
    'What was written about the slice.',
)
SLICE, MARK, SUSPICION, NOTE = range(4)
_Index = QModelIndex | QPersistentModelIndex


class SliceModel(QAbstractTableModel):
    """A row per slice, in the order that was asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figures: SliceFigures | None = None
        self.judgements: Mapping[int, Judgement] = {}
        self._order: list[int] = []
        self._rows: dict[int, int] = {}

    def show_slices(
        self, figures: SliceFigures | None, order: Sequence[int]
    ) -> None:
        """Show other slices, or the same in another order."""
        self.beginResetModel()
        self.figures, self._order = figures, list(order)
        self._rows = {k: row for row, k in enumerate(self._order)}
        self.endResetModel()

    def show_judgements(self, judgements: Mapping[int, Judgement]) -> None:
        """Show other verdicts and notes."""
        self.judgements = judgements
        if self._order:
            last = self.index(len(self._order) - 1, NOTE)
            self.dataChanged.emit(self.index(0, MARK), last)

    def slice_at(self, row: int) -> int:
        """Return the slice of a row."""
        return self._order[row]

    def row_of(self, slice_index: int) -> int:
        """Return the row of a slice; -1 if it has none."""
        return self._rows.get(slice_index, -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008
        """Return the number of slices."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(_HEADERS)

    def data(self, index: _Index, role: int = 0) -> Any:
        """Return what a cell shows."""
        if not index.isValid() or self.figures is None:
            return None
        slice_index = self._order[index.row()]
        judgement = self.judgements.get(slice_index, NOTHING)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.column(), slice_index, judgement)
        if role == Qt.ItemDataRole.ToolTipRole:
            if index.column() == NOTE:
                return judgement.note
            return '\n'.join(reasons(self.figures, slice_index))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            verdict = judgement.verdict
            return '' if verdict is None else verdict.past
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = index.column() == SLICE
            side = (
                Qt.AlignmentFlag.AlignRight
                if right
                else Qt.AlignmentFlag.AlignLeft
            )
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = 0
    ) -> Any:
        """Return a heading."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f'<p>{_TIPS[section]}</p>'
        return None

    def _text(
        self, column: int, slice_index: int, judgement: Judgement
    ) -> str:
        if column == SLICE:
            return str(slice_index)
        if column == NOTE:
            return judgement.note.replace('\n', ' ')
        return ''


class _Cells(QStyledItemDelegate):
    """Paints the sign of the verdict and the bar of the suspicion."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: _Index,
    ) -> None:
        super().paint(painter, option, index)
        model: SliceModel = index.model()
        slice_index = model.slice_at(index.row())
        box = QRectF(option.rect)
        if index.column() == MARK:
            judgement = model.judgements.get(slice_index, NOTHING)
            if judgement.verdict is not None:
                side = min(box.height() - 8, 14)
                mark = QRectF(0, 0, side, side)
                mark.moveCenter(box.center())
                paint_mark(painter, mark, judgement.verdict)
        elif index.column() == SUSPICION and model.figures is not None:
            _paint_bar(painter, box, option, model.figures, slice_index)

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: _Index
    ) -> QSize:
        hint: QSize = super().sizeHint(option, index)
        return QSize(hint.width(), max(22, hint.height()))


class SliceTable(QTableView):
    """Shows the slices; `picked` fires with one that was clicked.

    `sorted_by_worst` fires with True or False when a heading is clicked.
    """

    picked = Signal(int)
    sorted_by_worst = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName('slices')
        self.setAccessibleName('slices')
        self.slices = SliceModel(self)
        self._following = False
        self.setModel(self.slices)
        self.setItemDelegate(_Cells(self))
        self.setSelectionBehavior(
            QAbstractItemView.SelectionBehavior.SelectRows
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(22)
        self.setHorizontalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self._lay_out_columns()
        self.setMinimumHeight(160)
        self.selectionModel().currentRowChanged.connect(self._on_row)
        self.horizontalHeader().sectionClicked.connect(self._on_heading)

    def show_order(self, worst_first: bool) -> None:
        """Show by which column the list is sorted."""
        header = self.horizontalHeader()
        header.setSortIndicatorShown(True)
        if worst_first:
            header.setSortIndicator(SUSPICION, Qt.SortOrder.DescendingOrder)
        else:
            header.setSortIndicator(SLICE, Qt.SortOrder.AscendingOrder)

    def set_current(self, slice_index: int) -> None:
        """Select the row of a slice and scroll to it."""
        row = self.slices.row_of(slice_index)
        if row < 0 or row == self.currentIndex().row():
            return
        self._following = True
        self.selectRow(row)
        self._following = False
        self.scrollTo(self.slices.index(row, SLICE))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the current slice in sight."""
        super().resizeEvent(event)
        self.scrollTo(self.currentIndex())

    def _lay_out_columns(self) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(SLICE, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(MARK, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(SUSPICION, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NOTE, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(SLICE, 56)
        self.setColumnWidth(MARK, 28)
        self.setColumnWidth(SUSPICION, 120)

    def _on_row(self, current: QModelIndex, before: QModelIndex) -> None:
        if current.isValid() and not self._following:
            self.picked.emit(self.slices.slice_at(current.row()))

    def _on_heading(self, section: int) -> None:
        if section in (SLICE, SUSPICION):
            self.sorted_by_worst.emit(section == SUSPICION)


def _paint_bar(
    painter: QPainter,
    box: QRectF,
    option: QStyleOptionViewItem,
    figures: SliceFigures,
    index: int,
) -> None:
    """Paint the suspicion: its length, and what it is made of."""
    painter.save()
    group = QPalette.ColorRole.Text
    painter.setPen(option.palette.color(group))
    number = QRectF(box.left() + 2, box.top(), 26, box.height())
    painter.drawText(
        number,
        int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
        suspicion_text(figures, index),
    )
    room = box.adjusted(34, 6, -6, -6)
    faint = QColor(option.palette.color(group))
    faint.setAlphaF(0.15)
    painter.fillRect(room, faint)
    parts = [float(c.deviations[index]) for c in figures.components]
    whole = sum(parts)
    x, length = room.left(), float(figures.suspicion[index]) * room.width()
    for component, part in zip(figures.components, parts, strict=True):
        if whole > 0 and part > 0:
            width = length * part / whole
            piece = QRectF(x, room.top(), width, room.height())
            painter.fillRect(piece, QColor(COMPONENT_COLOURS[component.name]))
            x += width
    painter.restore()
