"""The Evaluate dock: two segmentations in, a table out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_adacs.app.layer_evaluation import (
    LayerEvaluation,
    check_request,
    describe_request,
    evaluate_layers,
    show_in_features,
)
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.evaluate_form import EvaluateForm
from napari_adacs.widgets.parts.landmark_page import LandmarkPage
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.metric_panel import MetricPanel
from napari_adacs.widgets.parts.run_bar import RunBar, RunState
from napari_adacs.widgets.parts.slice_page import SlicePage
from napari_adacs.widgets.parts.surface_page import SurfacePage
from napari_adacs.widgets.parts.tabs import Tabs
from napari_adacs.widgets.parts.trust_page import TrustPage
from napari_adacs.widgets.parts.viewer_dock import ViewerDock, say
from napari_adacs.widgets.parts.worker import (
    Cancelled,
    Done,
    Outcome,
    Runner,
)

if TYPE_CHECKING:
    import napari

    from napari_adacs.evaluation.report import Evaluation


class EvaluateDock(ViewerDock):
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
        super().__init__(napari_viewer, parent)
        self.state = RunState.IDLE
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
        self.slices = SlicePage(napari_viewer)
        self.surface = SurfacePage(napari_viewer)
        self.trust = TrustPage(napari_viewer)
        self.landmarks = LandmarkPage(napari_viewer)
        self.tabs = Tabs()
        for page, title, tooltip in (
            (self.slices, 'Slices', 'Each label slice by slice.'),
            (self.surface, 'Surface', 'Distances on the surface, in 3D.'),
            (self.trust, 'Uncertainty', 'Does a map know the errors?'),
            (self.landmarks, 'Landmarks', 'Error of landmarks (TRE).'),
        ):
            self.tabs.add_page(page, title, tooltip)
        self._runner = Runner(self)
        self._scroll = self._stack(
            self.form,
            self.preflight,
            self.run_bar,
            self.caption,
            self.metrics,
            self.tabs,
        )
        self._connect()
        self.attach()

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
        self.caption.show_text('')
        self._set_state(RunState.RUNNING)
        self._runner.start(partial(evaluate_layers, request))

    def _connect(self) -> None:
        self.form.changed.connect(self.check_soon)
        self.run_bar.start.connect(self.evaluate)
        self.run_bar.cancel.connect(self._cancel)
        self._runner.progressed.connect(self.run_bar.show_progress)
        self._runner.ended.connect(self._on_ended)
        self.metrics.label_chosen.connect(self.slices.label.choose)
        self.metrics.label_chosen.connect(self.surface.label.choose)
        for part in (
            self.metrics,
            self.slices,
            self.surface,
            self.trust,
            self.landmarks,
        ):
            part.said.connect(self._say)
        # pages differ in what they need of the dock
        self.tabs.changed.connect(self._fit)

    def _follow(self) -> None:
        self.form.follow()
        self.slices.follow()
        self.trust.follow()
        self.landmarks.follow()

    def _unfollow(self) -> None:
        self._runner.abandon()
        self.surface.stop()
        self.form.unfollow()
        self.slices.unfollow()
        self.trust.unfollow()
        self.landmarks.unfollow()
        if self.state.busy:
            self._set_state(RunState.IDLE)

    def _look_again(self) -> None:
        self.form.runs.reload()

    def _check(self) -> None:
        """Say what would be compared, or why it cannot."""
        if self.state.busy:
            return
        ready, labels = False, None
        try:
            request = self.form.request()
            labels = None if request is None else request.fixed
            if request is None:
                self.preflight.show_text('Open the labels of both images.')
            else:
                check_request(request)
                self.preflight.show_text(describe_request(request))
                ready = True
        except AdacsError as error:
            self.preflight.show_text(str(error), Kind.WARNING)
        self.run_bar.set_ready(ready)
        run = self.form.runs.run()
        self.trust.choose(run, labels)
        self.landmarks.choose(run)

    def _cancel(self) -> None:
        if self.state is RunState.RUNNING:
            self._set_state(RunState.CANCELLING)
            self._runner.cancel()

    def _on_ended(self, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self._set_state(RunState.DONE)
            self._show(outcome.value)  # type: ignore[arg-type]
        elif isinstance(outcome, Cancelled):
            self._set_state(RunState.IDLE)
            self.caption.show_text('Cancelled.')
        else:
            self._set_state(RunState.FAILED)
            self._say(outcome.sentence, Kind.ERROR)

    def _show(self, evaluated: LayerEvaluation) -> None:
        self.caption.show_text(str(evaluated.request))
        self.metrics.show_evaluation(evaluated.evaluation)
        self.slices.show_evaluation(evaluated)
        self.surface.show_evaluation(evaluated)
        self._fit()
        show_in_features(self._viewer, evaluated.request, evaluated.evaluation)

    def _fit(self, *_: object) -> None:
        """Tell the dock that it may need to be wider."""
        self._scroll.updateGeometry()

    def _set_state(self, state: RunState) -> None:
        self.state = state
        self.run_bar.set_state(state)
        self.form.setEnabled(not state.busy)
        if not state.busy:
            self._check()

    def _say(self, sentence: str, kind: Kind) -> None:
        say(self.caption, sentence, kind)
