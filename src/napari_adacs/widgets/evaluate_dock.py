"""The Evaluate dock: two segmentations in, a table out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_adacs.app.layer_evaluation import (
    EvaluationRequest,
    check_request,
    describe_request,
    evaluate_layers,
    show_in_features,
)
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.evaluate_form import EvaluateForm
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.metric_panel import MetricPanel
from napari_adacs.widgets.parts.run_bar import RunBar, RunState
from napari_adacs.widgets.parts.vertical_scroll import VerticalScroll
from napari_adacs.widgets.parts.worker import (
    Cancelled,
    Done,
    Outcome,
    Runner,
)

if TYPE_CHECKING:
    import napari

    from napari_adacs.evaluation.report import Evaluation

_DEBOUNCE_MS = 60


class EvaluateDock(QWidget):
    """Compares segmentations before and after a registration.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Whose Labels layers to compare.
    """

    def __init__(
        self,
        napari_viewer: napari.viewer.Viewer,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = napari_viewer
        self._attached = False
        self.state = RunState.IDLE
        self._request: EvaluationRequest | None = None
        self.form = EvaluateForm(napari_viewer)
        self.preflight = Message(
            'evaluate_preflight', 'What Evaluate will do, or why it cannot.'
        )
        self.run_bar = RunBar(
            'Evaluate',
            'evaluate_button',
            'Measure overlap and surface distances of every label.',
        )
        self.caption = Message('evaluated', 'What the table is about.')
        self.metrics = MetricPanel()
        self._runner = Runner(self)
        self._debounce = QTimer(self)
        self._lay_out()
        self._connect()
        self._attach()

    @property
    def evaluation(self) -> Evaluation | None:
        """What the table shows, or None."""
        return self.metrics.evaluation

    def evaluate(self) -> None:
        """Start; what the button does."""
        if self.state.busy:
            return
        try:
            request = self.form.request()
            if request is None:
                return
            check_request(request)
        except AdacsError as error:
            self._say(str(error), Kind.ERROR)
            return
        self._request = request
        self.caption.show_text('')
        self._set_state(RunState.RUNNING)
        self._runner.start(partial(evaluate_layers, request))

    def event(self, event: QEvent) -> bool:
        """Notice being docked, and undocked for good.

        napari's close button takes the widget out of the dock without
        closing it.
        """
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None:
                self._detach()
            else:
                self._attach()
        handled: bool = super().event(event)
        return handled

    def closeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Stop what is running."""
        self._detach()
        super().closeEvent(event)

    def showEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the viewer again, and see which registrations there are."""
        super().showEvent(event)
        self._attach()
        self.form.runs.reload()

    def _lay_out(self) -> None:
        inner = QWidget()
        layout = QVBoxLayout(inner)
        for part in (
            self.form,
            self.preflight,
            self.run_bar,
            self.caption,
            self.metrics,
        ):
            layout.addWidget(part)
        layout.addStretch(1)
        self._scroll = VerticalScroll(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)

    def _connect(self) -> None:
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(_DEBOUNCE_MS)
        self._debounce.timeout.connect(self._check)
        self.form.changed.connect(self._debounce.start)
        self.run_bar.start.connect(self.evaluate)
        self.run_bar.cancel.connect(self._cancel)
        self._runner.progressed.connect(self.run_bar.show_progress)
        self._runner.ended.connect(self._on_ended)
        self.metrics.said.connect(self._say)

    def _attach(self) -> None:
        if not self._attached:
            self._attached = True
            self.form.follow()
            self._check()

    def _detach(self) -> None:
        """Let go of the viewer: the dock or the window closes."""
        if self._attached:
            self._attached = False
            self._runner.abandon()
            self._debounce.stop()
            self.form.unfollow()
            if self.state.busy:
                self._set_state(RunState.IDLE)

    def _check(self) -> None:
        """Say what would be compared, or why it cannot."""
        if self.state.busy:
            return
        ready = False
        try:
            request = self.form.request()
            if request is None:
                self.preflight.show_text('Open the labels of both images.')
            else:
                check_request(request)
                self.preflight.show_text(describe_request(request))
                ready = True
        except AdacsError as error:
            self.preflight.show_text(str(error), Kind.WARNING)
        self.run_bar.set_ready(ready)

    def _cancel(self) -> None:
        if self.state is RunState.RUNNING:
            self._set_state(RunState.CANCELLING)
            self._runner.cancel()

    def _on_ended(self, outcome: Outcome) -> None:
        request, self._request = self._request, None
        if isinstance(outcome, Done):
            evaluation: Evaluation = outcome.value  # type: ignore[assignment]
            self._set_state(RunState.DONE)
            if request is not None:
                self._show(request, evaluation)
        elif isinstance(outcome, Cancelled):
            self._set_state(RunState.IDLE)
            self.caption.show_text('Cancelled.')
        else:
            self._set_state(RunState.FAILED)
            sentence = f'{outcome.message} {outcome.hint}'.strip()
            self._say(sentence, Kind.ERROR)

    def _show(
        self, request: EvaluationRequest, evaluation: Evaluation
    ) -> None:
        self.caption.show_text(str(request))
        self.metrics.show_evaluation(evaluation)
        # the table may need a wider dock
        self._scroll.updateGeometry()
        show_in_features(self._viewer, request, evaluation)

    def _set_state(self, state: RunState) -> None:
        self.state = state
        self.run_bar.set_state(state)
        self.form.setEnabled(not state.busy)
        if not state.busy:
            self._check()

    def _say(self, sentence: str, kind: Kind) -> None:
        self.caption.show_text(sentence, kind)
        if kind is Kind.ERROR:
            show_error(sentence)
