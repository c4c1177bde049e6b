"""Target registration error of landmarks in two Points layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Points
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.landmark_evaluation import (
    LandmarkTable,
    go_to_point,
    landmark_table,
)
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.layer_picker import LayerPicker
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.take_bar import TakeBar

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.session import Run

_NOTHING = (
    'Open or draw the same landmarks in two Points layers, in the same order.'
)
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MOST_ROWS_SHOWN = 8
_SETTLE_MS = 80


class LandmarkPage(QWidget):
    """Measures as the points are moved; a click on a row goes there.

    Parameters
    ----------
    viewer : ViewerModel
        Whose Points layers to offer.
    """

    said = Signal(str, object)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._run: Run | None = None
        self._watched: list[Points] = []
        self.result: LandmarkTable | None = None
        self.moving = LayerPicker(viewer, Points)
        self.fixed = LayerPicker(viewer, Points)
        self.table = QTableWidget(0, 3)
        self.note = Message('landmark_note', 'What the errors come to.')
        self.take = TakeBar(
            'landmarks',
            lambda path: self.result and self.result.save(path),
            {'Copy': lambda: self.result.text() if self.result else ''},
        )
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.measure)
        self._lay_out()
        for picker in (self.moving, self.fixed):
            picker.changed.connect(self._on_picked)
            picker.listed.connect(self._separate)
        self.table.cellClicked.connect(self._on_clicked)
        self.take.said.connect(self.said)
        self._separate()
        self._on_picked()

    def choose(self, run: Run | None) -> None:
        """Measure with another registration."""
        self._run = run
        self._settle.start()

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        self.moving.follow()
        self.fixed.follow()
        self._on_picked()

    def unfollow(self) -> None:
        """Leave the viewer's layers alone."""
        self._settle.stop()
        self.moving.unfollow()
        self.fixed.unfollow()
        self._watch([])

    def measure(self) -> None:
        """Show the errors of the chosen points."""
        if not self.isVisible():
            return
        moving, fixed = self.moving.layer(), self.fixed.layer()
        if moving is None or fixed is None or moving is fixed:
            self._show_nothing(_NOTHING)
            return
        try:
            self.result = landmark_table(moving, fixed, self._run)
        except AdacsError as error:
            self._show_nothing(str(error), Kind.WARNING)
            return
        self._fill(self.result)
        self.note.show_text(self.result.sentence())
        self.take.set_ready(True)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Measure what changed while the page was hidden."""
        super().showEvent(event)
        self._settle.start()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        form = QFormLayout()
        for text, name, tooltip in (
            ('Moving points', 'moving', 'Landmarks of the moving image.'),
            ('Fixed points', 'fixed', 'The same landmarks, fixed image.'),
        ):
            picker = getattr(self, name)
            picker.setObjectName(f'{name}_points')
            picker.setAccessibleName(f'{name} points layer')
            form.addRow(text, picker)
            form.labelForField(picker).setToolTip(tooltip)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addWidget(self.table)
        layout.addWidget(self.take)
        layout.addStretch(1)
        self._dress_table()

    def _dress_table(self) -> None:
        table = self.table
        table.setObjectName('landmarks')
        table.setAccessibleName('error of each landmark')
        table.setToolTip('Click a landmark to go there.')
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(
            QAbstractItemView.SelectionBehavior.SelectRows
        )
        table.verticalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(
            QHeaderView.ResizeMode.Stretch
        )
        table.horizontalHeader().setHighlightSections(False)
        table.hide()

    def _fill(self, result: LandmarkTable) -> None:
        table, rows = self.table, result.cells()
        titles = (
            ('Landmark', 'Name in the features of the fixed points, or row.'),
            (f'Before\n({result.unit})', 'Distance before registration.'),
            (f'After\n({result.unit})', 'Distance after registration.'),
        )
        for column, (title, tooltip) in enumerate(titles):
            item = QTableWidgetItem(title)
            item.setToolTip(tooltip)
            table.setHorizontalHeaderItem(column, item)
        table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                font = item.font()
                font.setBold(row == len(rows) - 1)
                item.setFont(font)
                if column:
                    item.setTextAlignment(_RIGHT)
                table.setItem(row, column, item)
        table.resizeRowsToContents()
        shown = min(len(rows), _MOST_ROWS_SHOWN)
        height = sum(table.rowHeight(row) for row in range(shown))
        head = table.horizontalHeader().sizeHint().height()
        table.setFixedHeight(height + head + 2 * table.frameWidth())
        table.show()

    def _show_nothing(self, sentence: str, kind: Kind = Kind.INFO) -> None:
        self.result = None
        self.table.hide()
        self.take.set_ready(False)
        self.note.show_text(sentence, kind)

    def _on_picked(self) -> None:
        layers = [self.moving.layer(), self.fixed.layer()]
        self._watch([layer for layer in layers if layer is not None])
        self._settle.start()

    def _separate(self) -> None:
        """Take another layer as fixed where both are the same."""
        if self.fixed.count() > 1 and (
            self.fixed.currentData() == self.moving.currentData()
        ):
            first = self.moving.currentIndex() == 0
            self.fixed.setCurrentIndex(1 if first else 0)

    def _watch(self, layers: list[Points]) -> None:
        """Notice when points are moved, added or placed elsewhere."""
        for layer in self._watched:
            for event in _events(layer):
                event.disconnect(self._on_moved)
        self._watched = list(dict.fromkeys(layers))
        for layer in self._watched:
            for event in _events(layer):
                event.connect(self._on_moved)

    def _on_moved(self, event: object = None) -> None:
        self._settle.start()

    def _on_clicked(self, row: int, column: int) -> None:
        layer = self.fixed.layer()
        if layer is not None and self.result is not None:
            go_to_point(self._viewer, layer, row)


def _events(layer: Points) -> tuple:
    events = layer.events
    return (
        events.data,
        events.features,
        events.scale,
        events.translate,
        events.affine,
        events.units,
    )
