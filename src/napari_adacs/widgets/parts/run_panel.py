"""A run while it goes on, and what came out of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.finetune.preparing import begin_again, command_of
from napari_adacs.app.finetune.preview_layers import PreviewLayers
from napari_adacs.app.finetune.states import (
    run_title,
    run_tooltip,
)
from napari_adacs.app.finetune.steering import go_on, pause, stop
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.canvas_host import host_of
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.outcome_panel import OutcomePanel
from napari_adacs.widgets.parts.result_bar import to_clipboard
from napari_adacs.widgets.parts.run_controls import RunControls
from napari_adacs.widgets.parts.run_watcher import RunWatcher
from napari_adacs.widgets.parts.training_curves import TrainingCurves
from napari_adacs.widgets.parts.worker import Done, Failed, Outcome, Runner

if TYPE_CHECKING:
    from pathlib import Path

    from napari.components import ViewerModel

    from napari_adacs.app.finetune.watch import Listed, Seen

# Between two layers of a preview, so that the window breathes.
_PAUSE_MS = 5
# Drawing all curves takes tens of milliseconds on a busy computer.
_DRAW_EVERY_S = 1.0
_NONE = 'no runs yet'


class RunPanel(QWidget):
    """Watches one of the runs there are.

    Signals: `said` with (sentence, `Kind`), `use` with the model to register
    with, `finished` when a run that was watched has a model, `begun` once
    the first run is listed.

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
        self._viewer = viewer
        self.runs = QComboBox()
        self.controls = RunControls()
        self.curves = TrainingCurves(viewer)
        self.show_preview = QCheckBox('Show a preview pair')
        self.keep_preview = QCheckBox('Keep its layers')
        self.outcome = OutcomePanel()
        self.copy_button = QPushButton('Copy as command')
        self.watcher = RunWatcher(self)
        self._preview: PreviewLayers | None = None
        self._runner = Runner(self)
        self.last: Seen | None = None
        self._dress()
        self._lay_out()
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
        self._drop_preview()
        self._show_nothing()
        if folder is not None:
            name = folder.name
            self._preview = PreviewLayers(self._viewer, name)
            self.copy_button.show()
        self.watcher.watch(folder)

    def follow(self) -> None:
        """Look at runs from now on."""
        self.curves.follow()
        self.watcher.start()

    def unfollow(self) -> None:
        """Look no more."""
        self._drop_preview()
        self.watcher.stop()
        self._runner.abandon()
        self.curves.unfollow()
        self.last = None
        self.watcher.watch(None)

    def stop_run(self) -> None:
        """Ask the run to end; what it has learnt is kept."""
        self._steer(stop, 'Stopping after this step…')

    def _dress(self) -> None:
        self.runs.setObjectName('runs')
        self.runs.setAccessibleName('training runs')
        self.runs.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.runs.setMinimumContentsLength(14)
        self.runs.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.runs.addItem(_NONE, None)
        self.show_preview.setObjectName('show_preview')
        self.show_preview.setChecked(True)
        self.show_preview.setToolTip(
            'One of the held-out pairs, registered again at each validation.'
        )
        self.keep_preview.setObjectName('keep_preview')
        self.keep_preview.setToolTip(
            'Leave the layers of the preview in the viewer at the end.'
        )
        self.copy_button.setObjectName('copy_run_command')
        self.copy_button.setToolTip(
            'Copy the shell command that repeats this run.'
        )

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.show_preview)
        row.addWidget(self.keep_preview)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.runs)
        layout.addWidget(self.controls)
        layout.addLayout(row)
        layout.addWidget(self.curves)
        layout.addWidget(self.outcome)
        layout.addWidget(self.copy_button)

    def _connect(self) -> None:
        self.runs.activated.connect(
            lambda _: self.show_run(self.runs.currentData())
        )
        self.watcher.seen.connect(self._on_seen)
        self.watcher.listed.connect(self._on_listed)
        self.watcher.lost.connect(
            lambda text: self.said.emit(text, Kind.WARNING)
        )
        self.controls.pause.connect(
            lambda: self._steer(pause, 'Pausing after this step…')
        )
        self.controls.go_on.connect(lambda: self._steer(go_on, 'Going on…'))
        self.controls.stop.connect(self.stop_run)
        self.controls.resume.connect(self._resume)
        self.show_preview.toggled.connect(self._on_show_preview)
        self.outcome.use.connect(self.use)
        self.copy_button.clicked.connect(self._copy)
        self._runner.ended.connect(self._on_resumed)

    def _on_listed(self, listed: list[Listed]) -> None:
        here = self.folder
        shown = [(run_title(run), run.folder) for run in listed]
        now = [
            (self.runs.itemText(i), self.runs.itemData(i))
            for i in range(self.runs.count())
        ]
        if shown and shown == now and here is not None:
            return  # an open list would close
        self.runs.blockSignals(True)
        self.runs.clear()
        for run in listed:
            self.runs.addItem(run_title(run), run.folder)
            self.runs.setItemData(self.runs.count() - 1, run_tooltip(run), 3)
        if not listed:
            self.runs.addItem(_NONE, None)
        folders = [run.folder for run in listed]
        index = folders.index(here) if here in folders else 0
        self.runs.setCurrentIndex(index)
        self.runs.blockSignals(False)
        if here is None and listed:
            self.show_run(folders[0])

    def _on_seen(self, folder: Path, seen: Seen) -> None:
        if folder != self.folder:
            return
        before, self.last = self.last, seen
        self.controls.show_status(seen.status)
        ended = seen.status.state.ended
        now = time.monotonic()
        if ended or now - self._drawn > _DRAW_EVERY_S:
            self._drawn = now
            self.curves.show_figures(seen.figures)
        self.outcome.show_offer(seen.offer if ended else None)
        self.show_preview.setVisible(not ended)
        self.keep_preview.setVisible(not ended)
        if ended:
            self._end_preview(before)
        elif seen.preview is not None and self._preview is not None:
            self._take(self._preview.show(seen.preview))
        fresh = before is not None and before.offer is None
        if seen.offer is not None and fresh:
            self.finished.emit()

    def _end_preview(self, before: Seen | None) -> None:
        if before is None or before.status.state.ended:
            return
        if self.keep_preview.isChecked() and self._preview is not None:
            self._preview.keep()
        else:
            self._drop_preview()

    def _take(self, steps: Iterator[object]) -> None:
        """Take a step, then let the window breathe."""
        preview = self._preview
        if next(steps, None) is not None:
            QTimer.singleShot(
                _PAUSE_MS,
                lambda: preview is self._preview and self._take(steps),
            )

    def _drop_preview(self) -> None:
        """Take the layers of the preview away at once."""
        preview = self._preview
        if preview is not None:
            with host_of(self).drawing():
                preview.remove()

    def _on_show_preview(self, wanted: bool) -> None:
        self.watcher.want_pictures(wanted)
        if not wanted:
            self._drop_preview()

    def _steer(self, act: object, sentence: str) -> None:
        if self.folder is None:
            return
        try:
            act(self.folder)  # type: ignore[operator]
        except (AdacsError, OSError) as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self.controls.show_wish(sentence)
        self.watcher.look_again()

    def _resume(self) -> None:
        if self.folder is None or self._runner.running:
            return
        self.controls.again.setEnabled(False)
        folder = self.folder
        self._runner.start(lambda progress, cancel: begin_again(folder))

    def _on_resumed(self, outcome: Outcome) -> None:
        self.controls.again.setEnabled(True)
        if isinstance(outcome, Failed):
            self.said.emit(outcome.sentence, Kind.ERROR)
        elif isinstance(outcome, Done):
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
        self.show_preview.hide()
        self.keep_preview.hide()
        self.copy_button.hide()
