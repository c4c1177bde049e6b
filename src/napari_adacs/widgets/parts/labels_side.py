"""Choosing one segmentation: a Labels layer and, of a sequence, a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSpinBox, QVBoxLayout, QWidget

from napari_adacs.app.layers import (
    LayerImage,
    frame_count,
    image_of,
    is_sequence,
)
from napari_adacs.app.result_layers import is_input
from napari_adacs.app.session import LayerRef
from napari_adacs.widgets.parts.layer_picker import LayerPicker

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LabelsSide(QWidget):
    """The moving or the fixed labels; `changed` fires when others are chosen.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to offer; those that a registration made are left out.
    role : {'moving', 'fixed'}
        Prefix of object names, and what messages call the labels.
    """

    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, role: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._role = role
        self._flat = False
        self.picker = LayerPicker(viewer, Labels, accept=is_input)
        self.picker.setObjectName(f'{role}_labels')
        self.picker.setAccessibleName(f'{role} labels layer')
        self.frame_box = QSpinBox()
        self.frame_box.setObjectName(f'{role}_labels_frame')
        self.frame_box.setAccessibleName(f'{role} labels frame')
        self.frame_box.setToolTip(f'Frame of the sequence to use as {role}.')
        self.frame_box.setPrefix('frame ')
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.picker)
        layout.addWidget(self.frame_box)
        self.setFocusProxy(self.picker)
        self.picker.changed.connect(self._on_layer_changed)
        self.frame_box.valueChanged.connect(self.changed)
        self._show_frames()

    def layer(self) -> Labels | None:
        """Return the chosen layer, or None."""
        return self.picker.layer()

    def frame(self) -> int | None:
        """Return the chosen frame; None if the layer is one image."""
        return int(self.frame_box.value()) if self._has_frames() else None

    def labels(self) -> LayerImage | None:
        """Return the chosen segmentation, without its voxels.

        Raises
        ------
        InputError
            If the layer cannot be used.
        """
        layer = self.layer()
        if layer is None:
            return None
        return image_of(layer, self.frame(), f'{self._role} labels')

    def reference(self) -> LayerRef | None:
        """Return which labels are chosen, to be kept without the layer."""
        layer = self.layer()
        if layer is None:
            return None
        return LayerRef(str(layer.unique_id), layer.name, self.frame())

    def suggest_frame(self, frame: int | None, ndim: int | None) -> None:
        """Follow a registration.

        Parameters
        ----------
        frame : int or None
            Frame that was registered.
        ndim : int or None
            Number of axes of what was registered: 3D labels beside a 2D
            registration are a sequence.
        """
        self._flat = ndim == 2
        self._show_frames()
        if frame is not None:
            self.frame_box.setValue(frame)

    def _on_layer_changed(self) -> None:
        self._show_frames()
        self.changed.emit()

    def _show_frames(self) -> None:
        has_frames = self._has_frames()
        self.frame_box.setVisible(has_frames)
        layer = self.layer()
        if has_frames and layer is not None:
            self.frame_box.blockSignals(True)
            self.frame_box.setRange(0, frame_count(layer) - 1)
            self.frame_box.blockSignals(False)

    def _has_frames(self) -> bool:
        layer = self.layer()
        if layer is None:
            return False
        return is_sequence(layer) or (self._flat and layer.ndim == 3)
