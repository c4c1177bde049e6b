"""Choosing one image: a layer and, of a sequence, a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.layers import (
    current_frame,
    frame_count,
    is_sequence,
    may_be_frames,
)
from napari_adacs.app.result_layers import is_input
from napari_adacs.widgets.parts.layer_picker import LayerPicker

if TYPE_CHECKING:
    from napari.components import ViewerModel

_GEOMETRY = (
    'scale',
    'translate',
    'rotate',
    'shear',
    'affine',
    'units',
    'axis_labels',
    'data',
)


class ImageSide(QWidget):
    """The moving or the fixed image.

    `changed` fires when another image is chosen or the chosen layer gets
    other voxels or another place.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to offer.
    role : {'moving', 'fixed'}
        Prefix of object names, and what messages call the image.
    """

    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, role: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._role = role
        self._watched: Image | None = None
        self.picker = LayerPicker(viewer, Image, accept=is_input)
        self.time_box = QCheckBox('First axis is time')
        self.frame_box = QSpinBox()
        self.current_button = QPushButton('Use current frame')
        self._dress()
        self._lay_out()
        self.picker.changed.connect(self._on_layer_changed)
        self.time_box.toggled.connect(self._on_layer_changed)
        self.frame_box.valueChanged.connect(self.changed)
        self.current_button.clicked.connect(self._use_current_frame)
        self._on_layer_changed()

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        self.picker.follow()
        self._watch(self.layer())

    def unfollow(self) -> None:
        """Leave the viewer's layers alone."""
        self.picker.unfollow()
        self._watch(None)

    def layer(self) -> Image | None:
        """Return the chosen layer, or None."""
        return self.picker.layer()

    def frame(self) -> int | None:
        """Return the chosen frame; None if the layer is one image."""
        layer = self.layer()
        if layer is None or not self._has_frames(layer):
            return None
        return int(self.frame_box.value())

    def _dress(self) -> None:
        role = self._role
        self.picker.setObjectName(f'{role}_layer')
        self.picker.setAccessibleName(f'{role} image layer')
        self.time_box.setObjectName(f'{role}_is_sequence')
        self.time_box.setToolTip(
            'Tick this if the layer is a sequence of 2D images rather than '
            'a volume.'
        )
        self.frame_box.setObjectName(f'{role}_frame')
        self.frame_box.setAccessibleName(f'{role} frame')
        self.frame_box.setToolTip(f'Frame of the sequence to use as {role}.')
        self.frame_box.setPrefix('frame ')
        self.current_button.setObjectName(f'{role}_current_frame')
        self.current_button.setToolTip(
            f'Take the frame that the viewer shows as {role}.'
        )

    def _lay_out(self) -> None:
        self._frame_row = QWidget()
        row = QHBoxLayout(self._frame_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.frame_box, 1)
        row.addWidget(self.current_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.picker)
        layout.addWidget(self.time_box)
        layout.addWidget(self._frame_row)
        self.setFocusProxy(self.picker)

    def _on_layer_changed(self) -> None:
        layer = self.layer()
        self._watch(layer)
        self.time_box.setVisible(layer is not None and may_be_frames(layer))
        has_frames = layer is not None and self._has_frames(layer)
        self._frame_row.setVisible(has_frames)
        if has_frames:
            self._set_frame_range(frame_count(layer))
        self.changed.emit()

    def _has_frames(self, layer: Image) -> bool:
        if is_sequence(layer):
            return True
        return may_be_frames(layer) and self.time_box.isChecked()

    def _set_frame_range(self, count: int) -> None:
        # A cycle begins at end diastole; end systole is a third further on.
        start = 0 if self._role == 'moving' else max(1, count // 3)
        if self.frame_box.maximum() != count - 1:
            self.frame_box.setRange(0, count - 1)
            self.frame_box.setValue(start)

    def _use_current_frame(self) -> None:
        layer = self.layer()
        if layer is not None:
            self.frame_box.setValue(current_frame(self._viewer, layer))

    def _watch(self, layer: Image | None) -> None:
        """Notice when the chosen layer gets other voxels or moves."""
        if self._watched is not None:
            for name in _GEOMETRY:
                event = getattr(self._watched.events, name)
                event.disconnect(self._on_geometry)
        self._watched = layer
        if layer is not None:
            for name in _GEOMETRY:
                getattr(layer.events, name).connect(self._on_geometry)

    def _on_geometry(self, event: object = None) -> None:
        self._on_layer_changed()
