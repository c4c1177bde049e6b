"""Landmarks: buttons and a live table of their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.review.landmarks import (
    LANDMARKS_KEY,
    SIDES,
    LandmarkRow,
    Landmarks,
    mean_row,
)
from napari_adacs.widgets.parts.message import Message

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Points

    from napari_adacs.app.review.desk import ReviewDesk

_UPDATE_MS = 30
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_HELP = (
    'Click the same place of the anatomy in both images, fixed first. '
    'Crosses show where the moving points arrive on the fixed image.'
)


class LandmarkPanel(QWidget):
    """Lets a person set pairs of landmarks and see the error at once.

    Parameters
    ----------
    viewer : ViewerModel
        Where the points go.
    """

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._desk: ReviewDesk | None = None
        self._landmarks: Landmarks | None = None
        self._heard: list[tuple[Points, Any]] = []
        self._busy = False
        self.rows: list[LandmarkRow] = []
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_UPDATE_MS)
        self._later.timeout.connect(self.refresh)
        self.start = QPushButton('Set landmarks')
        self.start.setObjectName('set_landmarks')
        self.start.setToolTip(
            'Add two layers of points, for the fixed and the moving image.'
        )
        self.remove = QPushButton('Remove pair')
        self.remove.setObjectName('remove_landmarks')
        self.remove.setToolTip('Remove the pairs selected in the table.')
        self.alternate = QCheckBox('Alternate between fixed and moving')
        self.alternate.setObjectName('alternate_landmarks')
        self.alternate.setChecked(True)
        self.alternate.setToolTip(
            'After a point in one image, go on in the other.'
        )
        self.help = Message('landmark_help', 'How landmarks are set.')
        self.table = _table()
        self._lay_out()
        self.start.clicked.connect(self.set_landmarks)
        self.remove.clicked.connect(self._remove)
        self._refresh_buttons()

    def set_desk(self, desk: ReviewDesk | None) -> None:
        """Measure another registration, or none."""
        self._listen(False)
        self._desk, self._landmarks = desk, None
        if desk is not None:
            self._landmarks = Landmarks(self._viewer, desk.run)
            saved = desk.landmarks
            if any(saved.values()) and not self._landmarks.shown:
                self._landmarks.show(saved)
            if self._landmarks.shown:
                self._listen(True)
        self.refresh()

    def set_landmarks(self) -> None:
        """Add the layers, and wait for a click in the fixed image."""
        if self._landmarks is None or self._desk is None:
            return
        self._landmarks.show(self._desk.landmarks)
        self._listen(True)
        self._wait_for('fixed')
        self.refresh()

    def refresh(self) -> None:
        """Measure again."""
        rows: list[LandmarkRow] = []
        landmarks = self._landmarks
        if landmarks is not None and landmarks.shown:
            self._busy = True
            try:
                landmarks.refresh()
            finally:
                self._busy = False
            rows = landmarks.rows()
            if self._desk is not None:
                self._desk.set_landmarks(landmarks.world())
        self.rows = rows
        self._fill(rows)
        self._refresh_buttons()

    def unfollow(self) -> None:
        """Leave the viewer's layers alone."""
        self._later.stop()
        self._listen(False)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.start)
        row.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.alternate)
        layout.addWidget(self.help)
        layout.addWidget(self.table, 1)
        self.help.show_text(_HELP)

    def _listen(self, listen: bool) -> None:
        """Hear of changes of the points, or no more."""
        for layer, callback in self._heard:
            layer.events.data.disconnect(callback)
        self._heard.clear()
        if listen and self._landmarks is not None:
            for side in SIDES:
                layer = self._landmarks.layer(side)
                if layer is not None:
                    layer.events.data.connect(self._on_points)
                    self._heard.append((layer, self._on_points))

    def _on_points(self, event: Any) -> None:
        if self._busy or self._landmarks is None:
            return
        action = str(getattr(event, 'action', ''))
        about = event.source.metadata.get(LANDMARKS_KEY) or {}
        side = about.get('side', '')
        other = 'moving' if side == 'fixed' else 'fixed'
        if action == 'removed':
            # Points belong together in their order.
            self._busy = True
            try:
                gone = [int(i) for i in event.data_indices]
                self._landmarks.remove_pairs(gone, other)
            finally:
                self._busy = False
        elif action == 'added' and self.alternate.isChecked():
            counts = [len(self._landmarks.world()[s]) for s in SIDES]
            if side == 'moving' or counts[0] > counts[1]:
                QTimer.singleShot(0, lambda: self._wait_for(other))
        self._later.start()

    def _wait_for(self, side: str) -> None:
        """Let the next click set a point of this side."""
        layer = (
            None if self._landmarks is None else self._landmarks.layer(side)
        )
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.selection = {layer}
            layer.mode = 'add'

    def _remove(self) -> None:
        rows = sorted({i.row() for i in self.table.selectedIndexes()})
        if self._landmarks is None or not rows:
            return
        self._busy = True
        try:
            self._landmarks.remove_pairs(rows)
        finally:
            self._busy = False
        self.refresh()

    def _fill(self, rows: list[LandmarkRow]) -> None:
        mean = mean_row(rows)
        shown = [*rows, mean] if mean is not None else rows
        self.table.setVisible(bool(shown))
        self.table.setRowCount(len(shown))
        unit = '' if self._landmarks is None else self._landmarks.units
        self.table.setHorizontalHeaderLabels(
            ['', f'before ({unit})', f'after ({unit})', '']
        )
        for number, row in enumerate(shown):
            is_mean = row is mean
            cells = (
                'mean' if is_mean else str(number + 1),
                _distance(row.before),
                _distance(row.after),
                '' if is_mean else row.note,
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column < 3:
                    item.setTextAlignment(_RIGHT)
                font = item.font()
                font.setBold(is_mean)
                item.setFont(font)
                self.table.setItem(number, column, item)

    def _refresh_buttons(self) -> None:
        there = self._landmarks is not None
        self.start.setEnabled(there)
        shown = self._landmarks is not None and self._landmarks.shown
        self.remove.setEnabled(shown and self.table.rowCount() > 0)
        self.help.setVisible(shown)


def _table() -> QTableWidget:
    table = QTableWidget(0, 4)
    table.setObjectName('landmarks')
    table.setAccessibleName('landmark errors')
    table.setToolTip(
        'Target registration error: the distance between the moving '
        'landmark and the place where the registration sends the fixed one.'
    )
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)
    table.setMinimumHeight(120)
    return table


def _distance(value: float | None) -> str:
    return '–' if value is None else f'{value:.2f}'
