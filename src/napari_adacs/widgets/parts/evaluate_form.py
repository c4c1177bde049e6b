"""What is compared: the inputs of the Evaluate dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QSizePolicy, QWidget

from napari_adacs.app.label_names import label_names
from napari_adacs.app.layer_evaluation import EvaluationRequest
from napari_adacs.widgets.parts.labels_side import LabelsSide
from napari_adacs.widgets.parts.run_picker import RunPicker

if TYPE_CHECKING:
    from napari.components import ViewerModel

_ROWS = (
    ('Moving labels', 'moving', 'Segmentation of the moving image.'),
    ('Fixed labels', 'fixed', 'Segmentation of the fixed image.'),
    ('Registration', 'runs', 'What carries moving labels to fixed ones.'),
    ('Match by', 'match', 'How labels of both segmentations are paired.'),
)
_BY_VALUE, _BY_NAME = 'value', 'name'
_MATCHES = (
    (_BY_VALUE, 'By value: the same number is the same structure.'),
    (
        _BY_NAME,
        "By name: the same text in the column 'name' of the layers' features.",
    ),
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
        self.match = QComboBox()
        self.match.setObjectName('match_labels')
        self.match.setAccessibleName('match labels by')
        for text, tooltip in _MATCHES:
            self.match.addItem(text)
            self.match.setItemData(
                self.match.count() - 1, tooltip, Qt.ItemDataRole.ToolTipRole
            )
        self.match.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.match.setToolTip(' '.join(tooltip for _, tooltip in _MATCHES))
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
        self.match.currentIndexChanged.connect(self.changed)
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
        names = (
            label_names(self.moving.layer()),
            label_names(self.fixed.layer()),
        )
        by_name = self.match.currentText() == _BY_NAME
        return EvaluationRequest(
            moving, fixed, *refs, self.runs.run(), *names, by_name
        )

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
