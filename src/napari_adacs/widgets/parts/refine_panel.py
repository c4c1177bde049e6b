"""Painting a region, refining there, and comparing the versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.emphasis import STRENGTH
from napari_adacs.app.result_layers import ResultGroup
from napari_adacs.app.review.refine_here import (
    STEPS,
    add_region,
    compared,
    mark_slices,
    other_version,
    prepare_refinement,
    region_of,
    swap_shown,
)
from napari_adacs.app.review.verdicts import Verdict
from napari_adacs.errors import AdacsError
from napari_adacs.widgets.parts.canvas_host import host_of
from napari_adacs.widgets.parts.message import Kind, Message
from napari_adacs.widgets.parts.registration_run import RegistrationRun
from napari_adacs.widgets.parts.run_bar import RunBar, RunState

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.review.desk import ReviewDesk
    from napari_adacs.app.review.keys import Keys
    from napari_adacs.app.session import Run

_HELP = (
    'Paint where the result is wrong. Refine here fits this pair once more '
    'and lets residuals in the region count more; the result is a new '
    'version beside the old one.'
)


class RefinePanel(QWidget):
    """Makes new versions of a result.

    Signals: `wanted` with a `Run` that should be reviewed now, `said` with
    (sentence, `Kind`).

    Parameters
    ----------
    viewer : ViewerModel
        Where the layers are.
    """

    wanted = Signal(object)
    said = Signal(str, object)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._desk: ReviewDesk | None = None
        self._old: Run | None = None
        self.run = RegistrationRun(viewer, self)
        self.help = Message('refine_help', 'What refining does.')
        self.outcome = Message('refined', 'What the last refinement changed.')
        self.paint = _button(
            'Paint a region',
            'paint_region',
            'Add a layer on the fixed image and paint in it, in 3D.',
        )
        self.mark = _button(
            'Mark flagged slices',
            'mark_flagged',
            'Add all flagged and rejected slices to the region.',
        )
        self.steps, self.strength = _steps(), _strength()
        self.bar = RunBar(
            'Refine here',
            'refine_here',
            'Fit this pair once more, harder in the region.',
        )
        self.switch = _button(
            'Switch version',
            'switch_version',
            'Show the other version with the same view (Shift-X).',
        )
        self.undo = _button(
            'Remove version',
            'undo_version',
            'Remove this version and go back to the one before.',
        )
        self._lay_out()
        self._connect()
        self.set_desk(None)

    def set_desk(self, desk: ReviewDesk | None) -> None:
        """Work on another result, or none."""
        self._desk = desk
        self._refresh()

    def keys(self) -> Keys:
        """Return the keys of this panel."""
        return {'Shift-X': ('switch between versions', self.switch_version)}

    def refine(self) -> None:
        """Start; what the button does."""
        desk = self._desk
        if desk is None or self.run.state.busy:
            return
        try:
            prepared = prepare_refinement(
                self._viewer,
                desk.run,
                self.steps.value(),
                self.strength.value(),
            )
        except AdacsError as error:
            self.said.emit(str(error), Kind.ERROR)
            return
        self._old = desk.run
        self.outcome.show_text('')
        self.run.start(prepared)

    def switch_version(self) -> None:
        """Show the other version where this one is shown."""
        if self._desk is None:
            return
        other = other_version(self._viewer, self._desk.run)
        if other is not None:
            swap_shown(self._viewer, self._desk.run, other)
            self.wanted.emit(other)

    def remove_version(self) -> None:
        """Take this version back."""
        if self._desk is None or self._desk.run.version == 1:
            return
        run = self._desk.run
        other = other_version(self._viewer, run)
        if other is not None:
            swap_shown(self._viewer, run, other)
            self.wanted.emit(other)
        with host_of(self).drawing():
            ResultGroup(self._viewer, run.group_id).remove()
        self.outcome.show_text('')
        self.said.emit(f'Version {run.version} removed.', Kind.INFO)

    def abandon(self) -> None:
        """Stop what is running, and touch the viewer no more."""
        self.run.abandon()

    def _lay_out(self) -> None:
        regions = QHBoxLayout()
        regions.addWidget(self.paint)
        regions.addWidget(self.mark)
        form = QFormLayout()
        form.addRow('Steps', self.steps)
        form.addRow('Weight', self.strength)
        versions = QHBoxLayout()
        versions.addWidget(self.switch)
        versions.addWidget(self.undo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.help)
        layout.addLayout(regions)
        layout.addLayout(form)
        layout.addWidget(self.bar)
        layout.addWidget(self.outcome)
        layout.addLayout(versions)
        layout.addStretch(1)
        self.help.show_text(_HELP)

    def _connect(self) -> None:
        self.paint.clicked.connect(self._paint)
        self.mark.clicked.connect(self._mark)
        self.bar.start.connect(self.refine)
        self.bar.cancel.connect(self.run.cancel)
        self.switch.clicked.connect(self.switch_version)
        self.undo.clicked.connect(self.remove_version)
        self.run.progressed.connect(self.bar.show_progress)
        self.run.state_changed.connect(self._on_state)
        self.run.said.connect(self.said)
        self.run.registered.connect(self._on_registered)

    def _paint(self) -> None:
        if self._desk is not None:
            add_region(self._viewer, self._desk.run)
            self._refresh()

    def _mark(self) -> None:
        desk = self._desk
        if desk is None:
            return
        places = [
            place
            for place, said in desk.review.judgements.items()
            if said.verdict in (Verdict.FLAG, Verdict.REJECT)
        ]
        if not places:
            self.said.emit('No slice is flagged or rejected.', Kind.WARNING)
            return
        layer = add_region(self._viewer, desk.run)
        mark_slices(layer, places)
        self._refresh()

    def _on_state(self, state: RunState) -> None:
        self.bar.set_state(state)
        self._refresh()

    def _on_registered(self, new: Run) -> None:
        old, self._old = self._old, None
        if old is None:
            return
        swap_shown(self._viewer, old, new)
        region = region_of(self._viewer, new)
        if region is not None:
            # Out of the way, to see what became of what is below it.
            region.visible = False
        mask = None if region is None else np.asarray(region.data)
        self.wanted.emit(new)
        self.outcome.show_text(compared(old, new, mask))

    def _refresh(self) -> None:
        desk = self._desk
        busy = self.run.state.busy
        ready = desk is not None and not busy
        for widget in (self.paint, self.mark, self.steps, self.strength):
            widget.setEnabled(ready)
        self.bar.set_ready(
            desk is not None and region_of(self._viewer, desk.run) is not None
        )
        other = None
        if desk is not None:
            other = other_version(self._viewer, desk.run)
        self.switch.setEnabled(ready and other is not None)
        self.undo.setEnabled(ready and desk.run.version > 1)


def _steps() -> QSpinBox:
    steps = QSpinBox()
    steps.setRange(1, 2000)
    steps.setValue(STEPS)
    steps.setToolTip('Steps of instance optimisation.')
    return steps


def _strength() -> QDoubleSpinBox:
    strength = QDoubleSpinBox()
    strength.setRange(0.1, 1000)
    strength.setDecimals(1)
    strength.setValue(STRENGTH)
    strength.setPrefix('+ ')
    strength.setSuffix(' ×')
    strength.setToolTip('How many times more residuals in the region count.')
    return strength


def _button(text: str, name: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tooltip)
    return button
