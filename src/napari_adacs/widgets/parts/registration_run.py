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
    Outcome,
    Runner,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_adacs.app.perform import Finished
    from napari_adacs.app.prepared import Prepared
    from napari_adacs.app.result_layers import ResultGroup


# Without a pause Qt would show one layer after the other before it turns to
# timers and input.
_PAUSE_MS = 5


class RegistrationRun(QObject):
    """Runs one prepared registration at a time and shows its layers.

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
        self._prepared: Prepared | None = None
        self._preview: PreviewLayer | None = None
        self.state = RunState.IDLE
        self._collections = FullCollections()
        self._runner = Runner(self)
        self._runner.progressed.connect(self.progressed)
        self._runner.shown.connect(self._on_snapshot)
        self._runner.ended.connect(self._on_ended)

    def start(self, prepared: Prepared) -> None:
        """Start a registration."""
        self._prepared = prepared
        self._preview = PreviewLayer(self._viewer, prepared)
        self._set_state(RunState.RUNNING)
        self.refined.emit(())
        self._runner.start(
            lambda reports, cancel: prepared.run(reports, cancel, reports.show)
        )

    def cancel(self) -> None:
        """Ask the running registration to stop."""
        if self.state is RunState.RUNNING:
            self._set_state(RunState.CANCELLING)
            self._runner.cancel()

    def abandon(self) -> None:
        """Stop, and touch the viewer no more."""
        self._runner.abandon()
        self._prepared = None
        self._remove_preview()
        if self.state.busy:
            self._set_state(RunState.IDLE)

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
        prepared = self._prepared
        if prepared is None:
            return
        if isinstance(outcome, Done):
            self._show(prepared, outcome.value)  # type: ignore[arg-type]
        elif isinstance(outcome, Cancelled):
            self.said.emit('Cancelled. Nothing was changed.', Kind.INFO)
            self._set_state(RunState.IDLE)
        else:
            sentence = f'{outcome.message} {outcome.hint}'.strip()
            self.said.emit(sentence, Kind.ERROR)
            self._set_state(RunState.FAILED)

    def _show(self, prepared: Prepared, finished: Finished) -> None:
        self._set_state(RunState.SHOWING)
        group = prepared.group(self._viewer, finished)
        self._take_steps(
            group.show(finished.specs),
            prepared,
            lambda: self._finish(prepared, group, finished),
        )

    def _take_steps(
        self,
        steps: Iterator[Layer],
        prepared: Prepared | None,
        then: Callable[[], None],
    ) -> None:
        """Take a step, then let the window breathe; stop if abandoned."""
        if self._prepared is not prepared:
            return
        with self._drawing():
            ended = next(steps, None) is None
        if ended:
            then()
        else:
            QTimer.singleShot(
                _PAUSE_MS, lambda: self._take_steps(steps, prepared, then)
            )

    def _finish(
        self, prepared: Prepared, group: ResultGroup, finished: Finished
    ) -> None:
        run = prepared.remember(finished)
        self._prepared = None
        self.said.emit(prepared.told(finished), Kind.INFO)
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
