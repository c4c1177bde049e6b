"""A button that starts and then cancels, with progress beside it."""

from __future__ import annotations

from enum import Enum

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget


class RunState(Enum):
    """What a dock is doing."""

    IDLE = 'idle'
    RUNNING = 'running'
    CANCELLING = 'cancelling'
    SHOWING = 'showing'
    DONE = 'done'
    FAILED = 'failed'

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self in (
            RunState.RUNNING,
            RunState.CANCELLING,
            RunState.SHOWING,
        )


class RunBar(QWidget):
    """Emits `start` or `cancel`, whatever the button says at the time.

    Parameters
    ----------
    text : str
        What the button says when idle.
    name : str
        Object name of the button.
    tooltip : str
        What starting does.
    """

    start = Signal()
    cancel = Signal()

    def __init__(
        self,
        text: str,
        name: str,
        tooltip: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text, self._tooltip = text, tooltip
        self._state = RunState.IDLE
        self._ready = False
        self.button = QPushButton(text)
        self.button.setObjectName(name)
        self.progress = QProgressBar()
        self.progress.setObjectName('progress')
        self.progress.setRange(0, 100)
        self.progress.setAccessibleName('progress')
        self.progress.setToolTip('How far the running job is.')
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self.progress)
        self.button.clicked.connect(self._on_clicked)
        self._refresh()

    def set_state(self, state: RunState) -> None:
        """Show another state."""
        if state is RunState.RUNNING:
            self.show_progress(0.0, 'Starting')
        self._state = state
        self._refresh()

    @property
    def ready(self) -> bool:
        """Whether the job could be started."""
        return self._ready

    def set_ready(self, ready: bool) -> None:
        """Say whether the job could be started."""
        self._ready = ready
        self._refresh()

    def show_progress(self, fraction: float, message: str) -> None:
        """Show how far the job is."""
        self.progress.setValue(round(100 * fraction))
        self.progress.setFormat(f'{message}  %p %')

    def _on_clicked(self) -> None:
        (self.cancel if self._state.busy else self.start).emit()

    def _refresh(self) -> None:
        state = self._state
        self.progress.setVisible(state.busy)
        if state is RunState.RUNNING:
            text, tooltip, enabled = 'Cancel', 'Stop; nothing changes.', True
        elif state is RunState.CANCELLING:
            text, tooltip, enabled = 'Cancelling…', 'Stopping soon.', False
        elif state is RunState.SHOWING:
            text, tooltip, enabled = self._text, 'Adding layers.', False
        else:
            text, tooltip, enabled = self._text, self._tooltip, self._ready
        self.button.setText(text)
        self.button.setToolTip(tooltip)
        self.button.setEnabled(enabled)
