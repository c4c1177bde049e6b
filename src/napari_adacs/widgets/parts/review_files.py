"""Opening and saving results, and exporting reviews."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QWidget,
)

from napari_adacs.app.review.report import ReportRequest, save_report
from napari_adacs.app.review.table import (
    axes_reviewed,
    review_rows,
    save_review_table,
)
from napari_adacs.app.save_run import remember_saved, save_request, save_run
from napari_adacs.app.saved_runs import saved_run
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.registration_run import RegistrationRun
from napari_adacs.widgets.parts.worker import Cancelled, Done, Outcome, Runner

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.desk import ReviewDesk
    from napari_adacs.app.review.landmarks import LandmarkRow

_FORMATS = (
    ('Report (HTML)…', 'html', 'One file with pictures; opens anywhere.'),
    ('Table (CSV)…', 'csv', 'A row per slice with verdict, note, figures.'),
)


class ReviewFiles(QWidget):
    """Buttons for files, and what they do.

    Signals: `said` with (sentence, `Kind`), `opened` with a `Run`, `saved`
    with a `Run` that now has a folder.

    Parameters
    ----------
    viewer : ViewerModel
        Where results are shown.
    landmarks : callable
        Returns the errors of landmarks for the report.
    """

    said = Signal(str, object)
    opened = Signal(object)
    saved = Signal(object)

    def __init__(
        self,
        viewer: ViewerModel,
        landmarks: Callable[[], Sequence[LandmarkRow]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._desk: ReviewDesk | None = None
        self._done = ''
        self._landmarks = landmarks
        self.opening = RegistrationRun(viewer, self)
        self._runner = Runner(self)
        self.open_button = QPushButton('Open result…')
        self.open_button.setObjectName('open_result')
        self.open_button.setToolTip(
            'Open the folder of a registration, with its review.'
        )
        self.save_button = QPushButton('Save result…')
        self.save_button.setObjectName('save_result')
        self.save_button.setToolTip(
            'Write registration and review to a folder, to go on later.'
        )
        self.export_button = _export_button()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for button in (
            self.open_button,
            self.save_button,
            self.export_button,
        ):
            layout.addWidget(button)
        self._connect()
        self.set_desk(None)

    def set_desk(self, desk: ReviewDesk | None) -> None:
        """Save and export another review, or none."""
        self._desk = desk
        self._refresh()

    def open_folder(self, folder: str | Path) -> None:
        """Open a saved result."""
        if self.opening.state.busy:
            return
        try:
            found = saved_run(folder, self._viewer)
        except AdacsError as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self.said.emit(f'Opening {found.folder.name}…', Kind.INFO)
        self.opening.open(found)

    def save_to(self, folder: str | Path) -> None:
        """Save the result to a folder."""
        desk = self._desk
        if desk is None or self._runner.running:
            return
        try:
            request = save_request(
                self._viewer,
                desk.run,
                folder,
                desk.ready.request.label_refs,
            )
        except AdacsError as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self._done = f'Saved to {request.folder}.'
        self._runner.start(partial(save_run, request))
        self._refresh()

    def export_to(self, path: str | Path) -> None:
        """Export the review; the suffix says as what."""
        desk = self._desk
        if desk is None or self._runner.running:
            return
        self._done = f'Exported to {path}.'
        suffix = Path(path).suffix.lower()
        if suffix == '.csv':
            self._save_table(desk, path)
            return
        layer = desk.layer
        names = () if layer is None else tuple(map(str, layer.axis_labels))
        request = ReportRequest(
            desk.ready,
            desk.review.judgements,
            desk.axis,
            names,
            tuple(self._landmarks()),
        )
        self._runner.start(partial(save_report, path, request))
        self._refresh()

    def abandon(self) -> None:
        """Stop what is running."""
        self.opening.abandon()
        self._runner.abandon()

    def _connect(self) -> None:
        self.open_button.clicked.connect(self._ask_to_open)
        self.save_button.clicked.connect(self._ask_to_save)
        self.opening.said.connect(self.said)
        self.opening.registered.connect(self.opened)
        self.opening.state_changed.connect(self._refresh)
        self._runner.ended.connect(self._on_ended)
        menu = QMenu(self.export_button)
        menu.setToolTipsVisible(True)
        for text, suffix, tip in _FORMATS:
            action = menu.addAction(text)
            action.setObjectName(f'export_{suffix}')
            action.setToolTip(tip)
            action.triggered.connect(partial(self._ask_to_export, suffix))
        self.export_button.setMenu(menu)

    def _save_table(self, desk: ReviewDesk, path: str | Path) -> None:
        judgements = desk.review.judgements
        axes = axes_reviewed(judgements, desk.axis)
        rows = review_rows(desk.ready.figures, judgements, axes)
        try:
            save_review_table(path, rows)
        except AdacsError as error:
            self.said.emit(str(error), Kind.ERROR)
        else:
            self.said.emit(self._done, Kind.INFO)

    def _on_ended(self, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self.said.emit(self._done, Kind.INFO)
            if outcome.value is not None:
                remember_saved(outcome.value)
                self.saved.emit(outcome.value)
        elif isinstance(outcome, Cancelled):
            self.said.emit('Cancelled; nothing was written.', Kind.INFO)
        else:
            self.said.emit(outcome.sentence, Kind.ERROR)
        self._refresh()

    def _ask_to_open(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, 'Folder of a registration'
        )
        if folder:
            self.open_folder(folder)

    def _ask_to_save(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, 'Folder to save the registration to'
        )
        if folder:
            self.save_to(folder)

    def _ask_to_export(self, suffix: str, checked: bool = False) -> None:
        start = f'review.{suffix}'
        desk = self._desk
        if desk is not None and desk.run.folder is not None:
            start = str(desk.run.folder / start)
        path, _ = QFileDialog.getSaveFileName(
            self, 'Export the review', start, f'*.{suffix}'
        )
        if path:
            named = Path(path)
            if named.suffix.lower() != f'.{suffix}':
                named = named.with_name(f'{named.name}.{suffix}')
            self.export_to(named)

    def _refresh(self, state: object = None) -> None:
        ready = self._desk is not None and not self._runner.running
        self.open_button.setEnabled(not self.opening.state.busy)
        self.save_button.setEnabled(ready)
        self.export_button.setEnabled(ready)


def _export_button() -> QPushButton:
    button = QPushButton()
    button.setObjectName('export_review')
    button.setText('Export')
    button.setToolTip('Write the review as a report or as a table.')
    return button
