"""The life of a registration in the window: start, cancel, show, end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_adacs.app.preview_layer import PreviewLayer
from napari_adacs.widgets.parts.canvas_host import host_of
from napari_adacs.widgets.parts.collector import FullCollections
from napari_adacs.widgets.parts.message import Kind
from napari_adacs.widgets.parts.run_bar import RunState
from napari_adacs.widgets.parts.worker import (
    Cancelled,
    Done,
    Job,
    Outcome,
    Runner,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.app.perform import Finished
    from napari_adacs.app.prepared import Prepared
    from napari_adacs.app.result_layers import ResultGroup
    from napari_adacs.app.saved_runs import SavedRun

    Work = Prepared | SavedRun


# Without a pause Qt would show one layer after the other before it turns to
# timers and input.
_PAUSE_MS = 5


class RegistrationRun(QObject):
    """Runs a registration or opens a saved one, and shows its layers.

    One at a time.

    Signals: `state_changed` with a `RunState`, `progressed` with (fraction,
    message), `said` with (sentence, `Kind`), `refined` with the losses of
    refining so far, `registered` with the
    `session.Run` once all layers are there.

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers go.
    """

    state_changed = Signal(object)
    progressed = Signal(float, str)
    said = Signal(str, object)
    refined = Signal(object)
    registered = Signal(object)

    def __init__(
        self, viewer: ViewerModel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._work: Work | None = None
        self._preview: PreviewLayer | None = None
        self.state = RunState.IDLE
        self._collections = FullCollections()
        self._runner = Runner(self)
        self._runner.progressed.connect(self.progressed)
        self._runner.shown.connect(self._on_snapshot)
        self._runner.ended.connect(self._on_ended)

    def start(self, prepared: Prepared) -> None:
        """Start a registration, and show how it is refined."""
        self._preview = PreviewLayer(self._viewer, prepared)
        self._start(
            prepared,
            lambda reports, cancel: prepared.run(
                reports, cancel, reports.show
            ),
        )

    def open(self, saved: SavedRun) -> None:
        """Start to open a registration that was saved."""
        self._start(saved, saved.run)

    def cancel(self) -> None:
        """Ask the running registration to stop."""
        if self.state is RunState.RUNNING:
            self._set_state(RunState.CANCELLING)
            self._runner.cancel()

    def abandon(self) -> None:
        """Stop, and touch the viewer no more."""
        self._runner.abandon()
        self._work = None
        self._remove_preview()
        if self.state.busy:
            self._set_state(RunState.IDLE)

    def _start(self, work: Work, job: Job) -> None:
        self._work = work
        self._set_state(RunState.RUNNING)
        self.refined.emit(())
        self._runner.start(job)

    def _on_snapshot(self, snapshot: Any) -> None:
        if self._preview is not None:
            self._preview.show(snapshot)
            self.refined.emit(snapshot.losses)

    def _remove_preview(self) -> None:
        if self._preview is not None:
            with self._drawing():
                self._preview.remove()
            self._preview = None

    def _on_ended(self, outcome: Outcome) -> None:
        self._remove_preview()
        work = self._work
        if work is None:
            return
        if isinstance(outcome, Done):
            self._show(work, outcome.value)  # type: ignore[arg-type]
        elif isinstance(outcome, Cancelled):
            self.said.emit('Cancelled. Nothing was changed.', Kind.INFO)
            self._set_state(RunState.IDLE)
        else:
            self.said.emit(outcome.sentence, Kind.ERROR)
            self._set_state(RunState.FAILED)

    def _show(self, work: Work, finished: Finished) -> None:
        self._set_state(RunState.SHOWING)
        group = work.group(self._viewer, finished)
        self._take_steps(
            group.show(finished.specs),
            work,
            lambda: self._finish(work, group, finished),
        )

    def _take_steps(
        self,
        steps: Iterator[Layer],
        work: Work | None,
        then: Callable[[], None],
    ) -> None:
        """Take a step, then let the window breathe; stop if abandoned."""
        if self._work is not work:
            return
        with self._drawing():
            ended = next(steps, None) is None
        if ended:
            then()
        else:
            QTimer.singleShot(
                _PAUSE_MS, lambda: self._take_steps(steps, work, then)
            )

    def _finish(
        self, work: Work, group: ResultGroup, finished: Finished
    ) -> None:
        run = work.remember(finished)
        self._work = None
        self.said.emit(work.told(finished), Kind.INFO)
        self._set_state(RunState.DONE)
        self.registered.emit(run)
        bars = group.add_colorbars(finished.specs)
        self._take_steps(bars, None, lambda: None)

    def _drawing(self) -> AbstractContextManager[object]:
        """Return where layers can be removed; see `Host`."""
        try:
            parent = self.parent()
        except RuntimeError:  # the window is gone already
            return nullcontext()
        if isinstance(parent, QWidget):
            return host_of(parent).drawing()
        return nullcontext()

    def _set_state(self, state: RunState) -> None:
        self.state = state
        if state.busy:
            self._collections.put_off()
        else:
            self._collections.resume()
        self.state_changed.emit(state)
