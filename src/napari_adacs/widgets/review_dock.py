"""The Review dock: look at every slice of a result, and decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QTabWidget, QWidget

from napari_adacs.app import session
from napari_adacs.app.review.desk import ReviewDesk
from napari_adacs.app.review.keys import KeySet
from napari_adacs.app.review.ready import make_ready, review_request
from napari_adacs.app.session import LayerRef
from napari_adacs.widgets.parts.dock_keys import add_shortcuts
from napari_adacs.widgets.parts.key_help import KeyHelp
from napari_adacs.widgets.parts.landmark_panel import LandmarkPanel
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.refine_panel import RefinePanel
from napari_adacs.widgets.parts.review_files import ReviewFiles
from napari_adacs.widgets.parts.run_picker import RunPicker
from napari_adacs.widgets.parts.slice_panel import SlicePanel
from napari_adacs.widgets.parts.view_bar import ViewBar
from napari_adacs.widgets.parts.viewer_dock import ViewerDock, say
from napari_adacs.widgets.parts.worker import Done, Outcome, Runner

if TYPE_CHECKING:
    import napari

    from napari_adacs.app.review.keys import Keys
    from napari_adacs.app.review.ready import Ready
    from napari_adacs.app.session import Run

_NOTHING = 'Register two images, or open a saved result.'


class ReviewDock(ViewerDock):
    """Follows the results of a viewer and keeps a review of each.

    The work is elsewhere: `app.review.ready` measures a result,
    `app.review.desk` is the review, the panels show it.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Whose results to review.
    """

    review_changed = Signal()
    _save_failed = Signal(str)

    def __init__(
        self,
        napari_viewer: napari.viewer.Viewer,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(napari_viewer, parent)
        self.desk: ReviewDesk | None = None
        self._wanted: Run | None = None
        self._runner = Runner(self)
        self.runs = RunPicker(napari_viewer, nothing='no registration')
        self.runs.setToolTip('The registration to review.')
        self.message = Message('review_message', 'What happened last.')
        self.views = ViewBar(napari_viewer)
        self.slices = SlicePanel(napari_viewer)
        self.landmarks = LandmarkPanel(napari_viewer)
        self.files = ReviewFiles(napari_viewer, lambda: self.landmarks.rows)
        self.refine = RefinePanel(napari_viewer)
        self.tabs = self._tabs()
        self.keys = KeySet(napari_viewer)
        self.key_help = KeyHelp(self.keys, self)
        scroll = self._stack(
            self._top(), self.files, self.message, self.views, self.tabs
        )
        # The list takes all the room there is.
        scroll.widget().layout().setStretchFactor(self.tabs, 100)
        self._add_keys()
        self._connect()
        self._set_desk(None)
        self.attach()

    @property
    def busy(self) -> bool:
        """Whether a result is being measured."""
        return self._runner.running

    def review(
        self, run: Run | None, fixed_labels: LayerRef | None = None
    ) -> None:
        """Review another result, or none.

        Parameters
        ----------
        run : Run or None
            The result.
        fixed_labels : LayerRef, optional
            Labels to compare the warped ones with, if they were chosen.
        """
        if run is self._wanted and fixed_labels is None:
            return
        same = run is self._wanted
        self._wanted = run
        self._runner.abandon()
        self._set_desk(None)
        if not same:
            self.views.set_run(run)
        if run is None:
            self.message.show_text(_NOTHING)
            return
        self.message.show_text('Measuring the slices…')
        request = review_request(self._viewer, run, fixed_labels)
        self._runner.start(partial(make_ready, request))

    def _tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setObjectName('review_tabs')
        for panel, title, tip in (
            (self.slices, 'Slices', 'Decide slice by slice.'),
            (self.landmarks, 'Landmarks', 'Measure errors at landmarks.'),
            (self.refine, 'Refine', 'Improve a region of the result.'),
        ):
            tabs.setTabToolTip(tabs.addTab(panel, title), tip)
        return tabs

    def _top(self) -> QWidget:
        self.help_button = QPushButton('Keys')
        self.help_button.setObjectName('show_keys')
        self.help_button.setToolTip('List the keys of this dock (Shift-K).')
        top = QWidget()
        row = QHBoxLayout(top)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.runs, 1)
        row.addWidget(self.help_button)
        return top

    def _add_keys(self) -> None:
        for section, keys in self._sections().items():
            self.keys.add(section, keys)
            add_shortcuts(self, keys)

    def _sections(self) -> dict[str, Keys]:
        return {
            'Slices': self.slices.keys(),
            'Versions': self.refine.keys(),
            'Views': self.views.KEYS,
            'Help': {'Shift-K': ('show these keys', self.key_help.toggle)},
        }

    def _connect(self) -> None:
        self.runs.changed.connect(self._on_run)
        self._runner.ended.connect(self._on_ready)
        self._save_failed.connect(self._on_save_failed)
        self.help_button.clicked.connect(self.key_help.toggle)
        for part in (self.files, self.refine):
            part.said.connect(self._say)
        self.refine.wanted.connect(self._choose)
        self.views.labels.activated.connect(self._on_labels)
        self.files.opened.connect(self._choose)
        self.files.saved.connect(self._on_saved)

    def _follow(self) -> None:
        self.runs.follow()
        self.slices.follow()
        self.keys.bind()
        self._viewer.layers.events.removed.connect(self._on_removed)
        session.listen(self._on_remembered)
        self._on_run()

    def _unfollow(self) -> None:
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        session.unlisten(self._on_remembered)
        self.keys.unbind()
        self.key_help.hide()
        self.runs.unfollow()
        self.slices.unfollow()
        self.files.abandon()
        self.refine.abandon()
        self._runner.abandon()
        self._wanted = None
        self._set_desk(None)
        self.landmarks.unfollow()
        self.views.close_views()

    def _look_again(self) -> None:
        self.runs.reload()

    def _check(self) -> None:
        """Review what is chosen, as it is now."""
        run = self.runs.run()
        self.review(run)
        if run is None:
            self.message.show_text(_NOTHING)

    def _on_run(self) -> None:
        if self.attached:
            self.review(self.runs.run())

    def _on_labels(self) -> None:
        """Measure with the labels that were chosen for the contours."""
        layer, run = self.views.labels.layer(), self._wanted
        if layer is not None and run is not None:
            frame = run.fixed.frame if layer.ndim == 4 else None
            key = str(layer.unique_id)
            self.review(run, LayerRef(key, layer.name, frame))

    def _choose(self, run: Run) -> None:
        """Review a run that may be too new for the list."""
        self.runs.reload()
        self.runs.choose_key(run.group_id)
        self.review(session.recall(run.group_id))

    def _on_ready(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Done):
            sentence = getattr(outcome, 'message', 'Cancelled.')
            self._say(sentence, Kind.ERROR)
            return
        ready: Ready = outcome.value  # type: ignore[assignment]
        desk = ReviewDesk(self._viewer, ready, self._save_failed.emit)
        self._set_desk(desk)
        if ready.warning:
            self._say(ready.warning, Kind.WARNING)
        elif desk.review.judgements:
            self._say('Went on with the saved review.', Kind.INFO)
        else:
            self.message.show_text('')

    def _on_saved(self, run: Run) -> None:
        """Go on with the review beside the saved result."""
        desk = self.desk
        if desk is None or desk.run.group_id != run.group_id:
            return
        desk.move_to(run)
        self._wanted = run
        self.views.set_run(run)
        self.runs.reload()

    def _set_desk(self, desk: ReviewDesk | None) -> None:
        before, self.desk = self.desk, desk
        for panel in (self.slices, self.landmarks, self.refine, self.files):
            panel.set_desk(desk)
        self.tabs.setEnabled(desk is not None)
        if before is not None:
            before.close()
        self.review_changed.emit()

    def _on_remembered(self, run: Run) -> None:
        """Notice that the same layers were registered anew."""
        wanted = self._wanted
        if wanted is not None and wanted.group_id == run.group_id:
            self.check_soon()

    def _on_removed(self, event: object) -> None:
        session.forget_removed(self._viewer, event.value)

    def _on_save_failed(self, sentence: str) -> None:
        self._say(sentence, Kind.ERROR)

    def _say(self, sentence: str, kind: Kind) -> None:
        say(self.message, sentence, kind)
