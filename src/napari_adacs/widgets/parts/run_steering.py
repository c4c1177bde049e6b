"""What a person asks of a run: to rest, to go on, to end, to resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_adacs.app.finetune.preparing import begin_again
from napari_adacs.app.finetune.steering import go_on, pause, stop
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.run_controls import RunControls
from napari_adacs.widgets.parts.worker import Done, Failed, Outcome, Runner


class RunSteering(QObject):
    """Does what the controls of a run ask for.

    Signals: `said` with (sentence, `Kind`) when something cannot be done,
    `asked` when the run was asked for something, `resumed` when its process
    has been started again.

    Parameters
    ----------
    controls : RunControls
        Whose buttons to follow.
    folder : callable
        Returns the folder of the run that is shown, or None.
    """

    said = Signal(str, object)
    asked = Signal()
    resumed = Signal()

    def __init__(
        self,
        controls: RunControls,
        folder: Callable[[], Path | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controls = controls
        self._folder = folder
        self._runner = Runner(self)
        self._runner.ended.connect(self._on_resumed)
        controls.pause.connect(
            lambda: self._ask(pause, 'Pausing after this step…')
        )
        controls.go_on.connect(lambda: self._ask(go_on, 'Going on…'))
        controls.stop.connect(self.stop)
        controls.resume.connect(self._resume)

    def stop(self) -> None:
        """Ask the run to end; what it has learnt is kept."""
        self._ask(stop, 'Stopping after this step…')

    def abandon(self) -> None:
        """Hear no more of what was begun."""
        self._runner.abandon()

    def _ask(self, act: Callable[[Path], None], sentence: str) -> None:
        folder = self._folder()
        if folder is None:
            return
        try:
            act(folder)
        except (AdacsError, OSError) as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self._controls.show_wish(sentence)
        self.asked.emit()

    def _resume(self) -> None:
        folder = self._folder()
        if folder is None or self._runner.running:
            return
        self._controls.again.setEnabled(False)
        self._runner.start(lambda progress, cancel: begin_again(folder))

    def _on_resumed(self, outcome: Outcome) -> None:
        self._controls.again.setEnabled(True)
        if isinstance(outcome, Failed):
            self.said.emit(outcome.sentence, Kind.ERROR)
        elif isinstance(outcome, Done):
            self.resumed.emit()
