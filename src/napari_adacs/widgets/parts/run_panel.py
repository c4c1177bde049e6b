"""A run while it goes on, and what came out of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_adacs.app.finetune.preparing import command_of
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.outcome_panel import OutcomePanel
from napari_adacs.widgets.parts.painting import painted_once
from napari_adacs.widgets.parts.result_bar import to_clipboard
from napari_adacs.widgets.parts.run_controls import RunControls
from napari_adacs.widgets.parts.run_list import RunList
from napari_adacs.widgets.parts.run_preview import RunPreview
from napari_adacs.widgets.parts.run_steering import RunSteering
from napari_adacs.widgets.parts.run_watcher import RunWatcher
from napari_adacs.widgets.parts.training_curves import TrainingCurves

if TYPE_CHECKING:
    from pathlib import Path

    from napari.components import ViewerModel

    from napari_adacs.app.finetune.watch import Listed, Seen

# Painting the dock takes tens of milliseconds on a busy computer.
_DRAW_EVERY_S = 1.0


class RunPanel(QWidget):
    """Watches one of the runs there are.

    Signals: `said` with (sentence, `Kind`), `use` with the model to register
    with, `finished` when a run that was watched has a model.

    Parameters
    ----------
    viewer : ViewerModel
        Where previews are shown.
    """

    said = Signal(str, object)
    use = Signal(str)
    finished = Signal()

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.runs = RunList()
        self.controls = RunControls()
        self.preview = RunPreview(viewer)
        self.curves = TrainingCurves(viewer)
        self.outcome = OutcomePanel()
        self.copy_button = QPushButton('Copy as command')
        self.copy_button.setObjectName('copy_run_command')
        self.copy_button.setToolTip(
            'Copy the shell command that repeats this run.'
        )
        self.watcher = RunWatcher(self)
        self.steering = RunSteering(self.controls, lambda: self.folder, self)
        self.last: Seen | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        for part in (
            self.runs,
            self.controls,
            self.preview,
            self.curves,
            self.outcome,
            self.copy_button,
        ):
            layout.addWidget(part)
        self._connect()
        self._show_nothing()

    @property
    def folder(self) -> Path | None:
        """Folder of the run that is shown."""
        return self.watcher.folder

    @property
    def running(self) -> str:
        """Name of the run that is shown and goes on; '' for none."""
        state = None if self.last is None else self.last.status.state
        goes_on = state is not None and not state.ended
        return self.folder.name if goes_on and self.folder else ''

    def show_run(self, folder: Path | None) -> None:
        """Show another run, or none."""
        if folder == self.folder:
            self.watcher.look_again()
            return
        self._show_nothing()
        if folder is not None:
            self.preview.begin(folder.name)
            self.copy_button.show()
        self.watcher.watch(folder)

    def follow(self) -> None:
        """Look at runs from now on."""
        self.curves.follow()
        self.watcher.start()

    def unfollow(self) -> None:
        """Look no more."""
        self.preview.drop()
        self.watcher.stop()
        self.steering.abandon()
        self.curves.unfollow()
        self.last = None
        self.watcher.watch(None)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Draw what has come while nobody saw it."""
        super().showEvent(event)
        if self.last is not None:
            self._draw(self.last)

    def _connect(self) -> None:
        self.runs.chosen.connect(self.show_run)
        self.watcher.seen.connect(self._on_seen)
        self.watcher.listed.connect(self._on_listed)
        self.watcher.lost.connect(
            lambda text: self.said.emit(text, Kind.WARNING)
        )
        self.steering.said.connect(self.said)
        self.steering.asked.connect(self.watcher.look_again)
        self.steering.resumed.connect(self._on_resumed)
        self.preview.wanted.connect(self.watcher.want_pictures)
        self.outcome.use.connect(self.use)
        self.copy_button.clicked.connect(self._copy)

    def _on_listed(self, listed: list[Listed]) -> None:
        here = self.folder
        self.runs.show_runs(listed, here)
        if here is None and listed:
            self.show_run(listed[0].folder)

    def _on_seen(self, folder: Path, seen: Seen) -> None:
        if folder != self.folder:
            return
        before, self.last = self.last, seen
        ended, now = seen.status.state.ended, time.monotonic()
        changed = before is None or before.status.state != seen.status.state
        due = self.isVisible() and now - self._drawn > _DRAW_EVERY_S
        if changed or ended or due:
            self._draw(seen)
        if seen.preview is not None and not ended:
            self.preview.show_picture(seen.preview)
        if ended and before is not None and not before.status.state.ended:
            self.preview.end()
        fresh = before is not None and before.offer is None
        if seen.offer is not None and fresh:
            self.finished.emit()

    def _draw(self, seen: Seen) -> None:
        self._drawn = time.monotonic()
        ended = seen.status.state.ended
        with painted_once(self):
            self.controls.show_status(seen.status)
            self.curves.show_figures(seen.figures)
            self.outcome.show_offer(seen.offer if ended else None)
            self.preview.setVisible(not ended)

    def _on_resumed(self) -> None:
        self.outcome.show_offer(None)
        self.watcher.look_again()

    def _copy(self) -> None:
        if self.folder is None:
            return
        try:
            to_clipboard(command_of(self.folder))
        except AdacsError as error:
            self.said.emit(str(error), Kind.WARNING)
        else:
            self.said.emit('Command copied to the clipboard.', Kind.INFO)

    def _show_nothing(self) -> None:
        self.last = None
        self._drawn = float('-inf')
        self.controls.show_status(None)
        self.curves.show_figures({})
        self.outcome.show_offer(None)
        self.preview.begin('')
        self.copy_button.hide()
