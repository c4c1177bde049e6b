"""Getting a model in the background: progress and a button to cancel."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from napari_adacs.widgets.parts.worker import (
    Done,
    Failed,
    Job,
    Outcome,
    Runner,
)


class ModelGetter(QWidget):
    """Hidden until it works.

    Signals: `got` with what the job returned, `refused` with a sentence,
    `busy_changed` with whether a job is under way.
    """

    got = Signal(object)
    refused = Signal(str)
    busy_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runner = Runner(self)
        self.progress = QProgressBar()
        self.progress.setObjectName('model_progress')
        self.progress.setAccessibleName('progress of getting a model')
        self.progress.setToolTip('How far getting the model is.')
        self.progress.setRange(0, 100)
        self.cancel_button = QPushButton('Cancel')
        self.cancel_button.setObjectName('cancel_model')
        self.cancel_button.setToolTip('Stop; no model is added.')
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.progress, 1)
        layout.addWidget(self.cancel_button)
        self.cancel_button.clicked.connect(self.cancel)
        self._runner.progressed.connect(self._show)
        self._runner.ended.connect(self._on_ended)
        self.hide()

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._runner.running

    def start(self, job: Job) -> None:
        """Start a job that returns a model; one at a time."""
        if self.busy:
            return
        self._show(0.0, 'Starting')
        self.cancel_button.setEnabled(True)
        self.show()
        self._make_room()
        self._runner.start(job)
        self.busy_changed.emit(True)

    def cancel(self) -> None:
        """Ask the job to stop."""
        self.cancel_button.setEnabled(False)
        self._runner.cancel()

    def abandon(self) -> None:
        """Stop, and hear no more of it."""
        if self.busy:
            self._runner.abandon()
            self._rest()

    def _make_room(self) -> None:
        """Lay out now: while torch loads, the window hardly gets to it."""
        part: QWidget | None = self
        while part is not None:
            layout = part.layout()
            if layout is not None:
                layout.activate()
            part = part.parentWidget()

    def _show(self, fraction: float, message: str) -> None:
        self.progress.setValue(round(100 * fraction))
        self.progress.setFormat(f'{message}  %p %')

    def _on_ended(self, outcome: Outcome) -> None:
        self._rest()
        if isinstance(outcome, Done):
            self.got.emit(outcome.value)
        elif isinstance(outcome, Failed):
            self.refused.emit(outcome.sentence)

    def _rest(self) -> None:
        self.hide()
        self.busy_changed.emit(False)
