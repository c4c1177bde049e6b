"""Where a run stands, and buttons to steer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.finetune.states import State, told
from napari_adacs.widgets.parts.message import Kind, Message

if TYPE_CHECKING:
    from napari_adacs.app.finetune.states import Status

_PROMILLE = 1000


class RunControls(QWidget):
    """Emits `pause`, `go_on`, `stop` and `resume`."""

    pause = Signal()
    go_on = Signal()
    stop = Signal()
    resume = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state: State | None = None
        self.message = Message('run_state', 'Where the run stands.')
        self.progress = QProgressBar()
        self.progress.setObjectName('run_progress')
        self.progress.setAccessibleName('progress of the run')
        self.progress.setToolTip('Steps done, of all steps.')
        self.progress.setRange(0, _PROMILLE)
        self.rest = _button(
            'Pause',
            'pause_run',
            'Rest after this step, and leave the processor to others.',
        )
        self.end = _button(
            'Stop and keep',
            'stop_run',
            'End after this step; what it has learnt so far is kept, and it '
            'can be resumed.',
        )
        self.again = _button(
            'Resume', 'resume_run', 'Go on where the run was stopped.'
        )
        row = QHBoxLayout()
        for button in (self.rest, self.end, self.again):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.message)
        layout.addWidget(self.progress)
        layout.addLayout(row)
        self.rest.clicked.connect(self._on_rest)
        self.end.clicked.connect(self.stop)
        self.again.clicked.connect(self.resume)
        self.show_status(None)

    def show_status(self, status: Status | None) -> None:
        """Show where a run stands; None shows nothing."""
        self.setVisible(status is not None)
        self.state = None if status is None else status.state
        if status is None:
            return
        state = status.state
        failed = state is State.FAILED
        self.message.show_text(
            told(status), Kind.ERROR if failed else Kind.INFO
        )
        active = not state.ended
        self.progress.setVisible(active)
        # A bar that runs to and fro while the total is unknown would have
        # the window painted sixty times a second.
        total = max(1, status.total)
        self.progress.setValue(round(_PROMILLE * status.step / total))
        self.rest.setVisible(active)
        self.end.setVisible(active)
        self.again.setVisible(not active and status.resumable)
        paused = state is State.PAUSED
        self.rest.setText('Go on' if paused else 'Pause')
        self.rest.setEnabled(state in (State.RUNNING, State.PAUSED))
        self.end.setEnabled(state is not State.STOPPING)

    def show_wish(self, sentence: str) -> None:
        """Say what was asked for until the run has heard it."""
        self.message.show_text(sentence)
        self.rest.setEnabled(False)

    def _on_rest(self) -> None:
        paused = self.state is State.PAUSED
        (self.go_on if paused else self.pause).emit()


def _button(text: str, name: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tooltip)
    return button
