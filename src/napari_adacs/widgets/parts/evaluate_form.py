"""What is compared: the inputs of the Evaluate dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QWidget

from napari_adacs.app.layer_evaluation import EvaluationRequest
from napari_adacs.widgets.parts.labels_side import LabelsSide
from napari_adacs.widgets.parts.run_picker import RunPicker

if TYPE_CHECKING:
    from napari.components import ViewerModel

_ROWS = (
    ('Moving labels', 'moving', 'Segmentation of the moving image.'),
    ('Fixed labels', 'fixed', 'Segmentation of the fixed image.'),
    ('Registration', 'runs', 'What carries moving labels to fixed ones.'),
)


class EvaluateForm(QWidget):
    """Two segmentations and a registration; `changed` fires with any.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to offer.
    """

    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._picked_by_hand = False
        self.moving = LabelsSide(viewer, 'moving')
        self.fixed = LabelsSide(viewer, 'fixed')
        self.runs = RunPicker(viewer)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow
        )
        for text, name, tooltip in _ROWS:
            widget = getattr(self, name)
            layout.addRow(text, widget)
            layout.labelForField(widget).setToolTip(tooltip)
        for side in (self.moving, self.fixed):
            side.changed.connect(self._on_labels_changed)
            side.picker.activated.connect(self._on_picked)
            side.picker.listed.connect(self._on_labels_changed)
        self.runs.changed.connect(self._on_run_changed)
        self._on_run_changed()

    def request(self) -> EvaluationRequest | None:
        """Return what the form says; None while labels are missing.

        Raises
        ------
        InputError
            If a layer cannot be used.
        """
        moving, fixed = self.moving.labels(), self.fixed.labels()
        refs = self.moving.reference(), self.fixed.reference()
        if moving is None or fixed is None or None in refs:
            return None
        return EvaluationRequest(moving, fixed, *refs, self.runs.run())

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        self.moving.picker.follow()
        self.fixed.picker.follow()
        self.runs.follow()

    def unfollow(self) -> None:
        """Leave the viewer's layers alone."""
        self.moving.picker.unfollow()
        self.fixed.picker.unfollow()
        self.runs.unfollow()

    def _on_picked(self, index: int) -> None:
        self._picked_by_hand = True

    def _on_labels_changed(self) -> None:
        self._separate()
        self.changed.emit()

    def _on_run_changed(self) -> None:
        run = self.runs.run()
        if run is not None:
            ndim = run.result.field.grid.ndim
            self.moving.suggest_frame(run.moving.frame, ndim)
            self.fixed.suggest_frame(run.fixed.frame, ndim)
            if run.labels is not None and not self._picked_by_hand:
                self.moving.picker.choose(run.labels.find(self._viewer))
        self._separate()
        self.changed.emit()

    def _separate(self) -> None:
        """Take another layer as fixed while nobody has chosen."""
        if self._picked_by_hand:
            return
        layer, picker = self.fixed.layer(), self.fixed.picker
        alike = layer is not None and layer == self.moving.layer()
        if alike and self.fixed.frame() is None and picker.count() > 1:
            picker.setCurrentIndex(1 if picker.currentIndex() == 0 else 0)
