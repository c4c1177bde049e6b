"""Setting a run up and starting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_adacs.app.finetune.data_choice import DataKind
from napari_adacs.app.finetune.preflight import preflight, start_of
from napari_adacs.app.finetune.preparing import Prepared, prepared
from napari_adacs.app.finetune.survey import survey_files, survey_layers
from napari_adacs.errors import AdacsError, InputError
from napari_adacs.widgets.parts.finetune_form import FinetuneForm
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.result_bar import to_clipboard
from napari_adacs.widgets.parts.run_bar import RunBar, RunState
from napari_adacs.widgets.parts.worker import (
    Cancelled,
    Done,
    Failed,
    Outcome,
    Runner,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.finetune.preflight import Ready
    from napari_adacs.app.finetune.survey import Survey

# Typing a path should not search the disk at every letter.
_TYPING_MS = 400


class NewRun(QWidget):
    """The form, what it comes to, and the button that starts it.

    `begun` fires with the folder of a run that was started, `said` with
    (sentence, `Kind`).

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to train on.
    """

    begun = Signal(object)
    said = Signal(str, object)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._found: Survey | InputError | None = None
        self._ready: Ready | None = None
        self._copying = False
        self.form = FinetuneForm(viewer)
        self.preflight = Message(
            'finetune_preflight', 'What Start will do, or why it cannot.'
        )
        self.bar = RunBar(
            'Start training',
            'start_training',
            'Train in a process of its own (Ctrl+Return).',
        )
        self.copy_button = QPushButton('Copy as command')
        self.copy_button.setObjectName('copy_new_command')
        self.copy_button.setToolTip(
            'Write what the form says into a folder, and copy the shell '
            'command that trains it.'
        )
        self._surveyor = Runner(self)
        self._runner = Runner(self)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        for part in (self.form, self.preflight, self.bar, self.copy_button):
            layout.addWidget(part)
        layout.addStretch(1)
        self._connect()

    @property
    def busy(self) -> bool:
        """Whether files are being written or a run is being started."""
        return self._runner.running

    @property
    def looking(self) -> bool:
        """Whether it is not known yet what the data are."""
        return self._surveyor.running or self._typing.isActive()

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        self.form.follow()

    def unfollow(self) -> None:
        """Leave the viewer alone, and let go of what is running."""
        self._typing.stop()
        self._surveyor.abandon()
        self._runner.abandon()
        self.form.unfollow()
        self._set_state(RunState.IDLE)

    def check(self) -> None:
        """Say what a run would do, or why it cannot."""
        if self.busy:
            return
        self._ready = None
        try:
            self._ready = self._checked()
        except AdacsError as error:
            self.preflight.show_text(str(error), Kind.WARNING)
        else:
            self.preflight.show_text(
                ' '.join(self._ready.sentences)
                if self._ready
                else 'Looking for pairs…'
            )
        self.bar.set_ready(self._ready is not None)
        self.copy_button.setEnabled(self._ready is not None)

    def start(self) -> None:
        """Start the run; what the button does."""
        self._run(copying=False)

    def copy(self) -> None:
        """Write what a run needs and copy its command."""
        self._run(copying=True)

    def _checked(self) -> Ready | None:
        found = self._found
        if found is None:
            return None
        if isinstance(found, InputError):
            raise found
        self.form.show_ndim(found.ndim)
        wishes = self.form.wishes()
        return preflight(wishes, start_of(wishes.start, found.ndim), found)

    def _connect(self) -> None:
        self.form.data_changed.connect(self._on_data)
        self.form.changed.connect(self._check_soon)
        self.form.refused.connect(lambda s: self.said.emit(s, Kind.WARNING))
        self.form.said.connect(lambda s: self.said.emit(s, Kind.INFO))
        self.bar.start.connect(self.start)
        self.bar.cancel.connect(self._cancel)
        self.copy_button.clicked.connect(self.copy)
        self._typing.timeout.connect(self._survey_files)
        self._surveyor.ended.connect(self._on_surveyed)
        self._runner.progressed.connect(self.bar.show_progress)
        self._runner.ended.connect(self._on_ended)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(60)
        self._soon.timeout.connect(self.check)

    def _check_soon(self) -> None:
        self._soon.start()

    def _on_data(self) -> None:
        """Find out what the chosen data are."""
        choice = self.form.data.choice()
        self._surveyor.abandon()
        self._typing.stop()
        self._found = None
        if choice.kind is not DataKind.LAYERS:
            self._typing.start()
        else:
            share = self.form.advanced.values()['held_out']
            try:
                self._found = survey_layers(self._viewer, choice.pairs, share)
            except InputError as error:
                self._found = error
        self._check_soon()

    def _survey_files(self) -> None:
        text = self.form.data.choice().text
        share = self.form.advanced.values()['held_out']
        self._surveyor.start(
            lambda progress, cancel: survey_files(text, share, cancel)
        )

    def _on_surveyed(self, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self._found = outcome.value  # type: ignore[assignment]
        elif isinstance(outcome, Failed):
            self._found = InputError(outcome.message, outcome.hint)
        self.check()

    def _run(self, *, copying: bool) -> None:
        if self.busy:
            return
        self.check()
        wishes = self.form.wishes()
        if self._ready is None:
            return
        try:
            ready: Prepared = prepared(
                self._viewer,
                self.form.data.choice(),
                self._ready.config,
                wishes.device,
                wishes.minutes,
            )
        except AdacsError as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self._copying = copying
        self._set_state(RunState.RUNNING)
        self._runner.start(ready.write if copying else ready.begin)

    def _cancel(self) -> None:
        self._set_state(RunState.CANCELLING)
        self._runner.cancel()

    def _on_ended(self, outcome: Outcome) -> None:
        done = isinstance(outcome, Done)
        self._set_state(RunState.DONE if done else RunState.FAILED)
        if isinstance(outcome, Failed):
            sentence = outcome.sentence
            self.said.emit(sentence, Kind.ERROR)
        elif isinstance(outcome, Cancelled):
            self.said.emit('Cancelled. Nothing was started.', Kind.INFO)
        elif isinstance(outcome, Done) and self._copying:
            plan = outcome.value
            to_clipboard(plan.command)  # type: ignore[attr-defined]
            self.said.emit(
                f'Command copied to the clipboard; it reads {plan.folder}.',  # type: ignore[attr-defined]
                Kind.INFO,
            )
        elif isinstance(outcome, Done):
            self.form.suggest_name()
            self.begun.emit(outcome.value.folder)  # type: ignore[attr-defined]
        self.check()

    def _set_state(self, state: RunState) -> None:
        self.form.setEnabled(not state.busy)
        self.bar.set_state(state)
