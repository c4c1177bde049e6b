"""The fixed surface, coloured by its distance to the warped one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.surface_layer import (
    coloured_surface,
    find_surface,
    show_colorbar,
    show_surface,
)
from napari_adacs.app.view_state import ViewState, look_at
from napari_adacs.widgets.parts.label_combo import LabelCombo
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.run_bar import RunBar, RunState
from napari_adacs.widgets.parts.worker import Cancelled, Done, Outcome, Runner

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.layer_evaluation import LayerEvaluation
    from napari_adacs.app.surface_layer import ColouredSurface

_PAUSE_MS = 40
_NOTHING = 'Press Evaluate first.'
_READY = (
    'Shows the surface of a fixed label; its colour is the distance to the '
    'surface of the moving label, before and after registration.'
)


class SurfacePage(QWidget):
    """Adds a surface layer, and recolours it.

    Parameters
    ----------
    viewer : ViewerModel
        Where to show the surface.
    """

    said = Signal(str, object)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._evaluated: LayerEvaluation | None = None
        self._measured: LayerEvaluation | None = None
        self.surface: ColouredSurface | None = None
        self.state = RunState.IDLE
        self.label = LabelCombo(
            'surface_label', 'Label whose surface to show.', mean=False
        )
        self.before = QRadioButton('Before')
        self.after = QRadioButton('After')
        self.run_bar = RunBar(
            'Show surface',
            'surface_button',
            'Add the surface as a layer and look at it in 3D.',
        )
        self.back = QPushButton('Back to slices')
        self.back.setObjectName('surface_back')
        self.back.setToolTip('Show the layers that were shown, in 2D.')
        self.back.setEnabled(False)
        self._before: ViewState | None = None
        self.note = Message('surface_note', 'How far the surfaces are apart.')
        self._runner = Runner(self)
        self._lay_out()
        self._connect()
        self.note.show_text(_NOTHING)

    def show_evaluation(self, evaluated: LayerEvaluation) -> None:
        """Offer the labels of another evaluation."""
        self._evaluated = evaluated
        # what an earlier evaluation measured is not recoloured any more
        self.surface = None
        self.label.offer(evaluated.evaluation)
        has_after = evaluated.found.warped is not None
        (self.after if has_after else self.before).setChecked(True)
        self.run_bar.set_ready(True)
        self._set_state(self.state)
        self.note.show_text(_READY)

    def start(self) -> None:
        """Measure and show; what the button does."""
        label = self.label.value()
        if self._evaluated is None or label is None or self.state.busy:
            return
        self._set_state(RunState.RUNNING)
        self._measured = self._evaluated
        self._runner.start(partial(coloured_surface, self._evaluated, label))

    def stop(self) -> None:
        """Let go of what is running."""
        self._runner.abandon()
        self._set_state(RunState.IDLE)

    def _lay_out(self) -> None:
        for button, name in (
            (self.before, 'surface_before'),
            (self.after, 'surface_after'),
        ):
            button.setObjectName(name)
            button.setEnabled(False)
        self.before.setToolTip('Colour by the distance before registration.')
        self.after.setToolTip('Colour by the distance after registration.')
        row = QHBoxLayout()
        row.addWidget(self.label, 1)
        row.addWidget(self.before)
        row.addWidget(self.after)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.run_bar)
        layout.addWidget(self.back)
        layout.addWidget(self.note)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.run_bar.start.connect(self.start)
        self.run_bar.cancel.connect(self._cancel)
        self._runner.progressed.connect(self.run_bar.show_progress)
        self._runner.ended.connect(self._on_ended)
        self.before.toggled.connect(self._recolour)
        self.back.clicked.connect(self._go_back)

    def _cancel(self) -> None:
        if self.state is RunState.RUNNING:
            self._set_state(RunState.CANCELLING)
            self._runner.cancel()

    def _on_ended(self, outcome: Outcome) -> None:
        if isinstance(outcome, Done):
            self.surface = outcome.value
            self._show()
            self._set_state(RunState.DONE)
        elif isinstance(outcome, Cancelled):
            self._set_state(RunState.IDLE)
            self.note.show_text('Cancelled.')
        else:
            self._set_state(RunState.FAILED)
            self.note.show_text(outcome.sentence, Kind.ERROR)

    def _show(self) -> None:
        """Add or recolour the layer, and look at it from where one can."""
        surface, measured = self.surface, self._measured
        if surface is None or measured is None:
            return
        if self._when() not in surface.distances:
            other = 'after' if self.before.isChecked() else 'before'
            getattr(self, other).setChecked(True)
        layer = show_surface(self._viewer, measured, surface, self._when())
        self._describe()
        # each of these makes napari draw anew: one per turn of the event loop
        if surface.mesh.vertices.shape[1] == 3:
            self._before = self._before or ViewState.of(self._viewer)
            self.back.setEnabled(True)
            QTimer.singleShot(0, lambda: look_at(self._viewer, layer))
        QTimer.singleShot(_PAUSE_MS, lambda: show_colorbar(layer))

    def _recolour(self, *_: object) -> None:
        """Colour the layer that is there by the other distance."""
        surface, measured = self.surface, self._measured
        if surface is None or measured is None:
            return
        if self._when() not in surface.distances:
            return
        if find_surface(self._viewer, measured, surface.label) is not None:
            show_surface(self._viewer, measured, surface, self._when())

    def _go_back(self) -> None:
        before, self._before = self._before, None
        self.back.setEnabled(False)
        if before is not None:
            before.restore(self._viewer)

    def _describe(self) -> None:
        if self.surface is not None:
            sentences = map(self.surface.sentence, ('before', 'after'))
            self.note.show_text(
                f'Label {self.surface.label}. {" ".join(sentences)}'.strip()
            )

    def _when(self) -> str:
        return 'before' if self.before.isChecked() else 'after'

    def _set_state(self, state: RunState) -> None:
        self.state = state
        self.run_bar.set_state(state)
        self.label.setEnabled(not state.busy)
        known = self._evaluated is not None
        warped = known and self._evaluated.found.warped is not None
        self.before.setEnabled(known and not state.busy)
        self.after.setEnabled(warped and not state.busy)
