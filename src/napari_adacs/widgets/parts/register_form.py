"""What is registered to what, and how: the inputs of the Register dock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_adacs.app.choices import device_choices, registers_from_zero
from napari_adacs.app.chosen import Chosen
from napari_adacs.app.layers import is_sequence, is_stack
from napari_adacs.app.result_layers import is_input
from napari_adacs.app.settings import compute_settings, use_model_folder
from napari_adacs.widgets.parts.image_side import ImageSide
from napari_adacs.widgets.parts.layer_picker import LayerPicker
from napari_adacs.widgets.parts.model_box import ModelBox
from napari_adacs.widgets.parts.refine_options import RefineOptions

if TYPE_CHECKING:
    from napari.components import ViewerModel


class RegisterForm(QWidget):
    """Layers, model and device; `changed` fires when any of it changes.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to offer.
    """

    changed = Signal()
    refused = Signal(str)
    said = Signal(str)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        settings = compute_settings()
        use_model_folder(settings.model_folder)
        self.moving = ImageSide(viewer, 'moving')
        self.fixed = ImageSide(viewer, 'fixed')
        self.labels = LayerPicker(
            viewer, Labels, nothing='none', accept=is_input
        )
        self.model = ModelBox()
        self.device = QComboBox()
        self.refining = RefineOptions()
        self.refine = self.refining.steps
        self.swap = QPushButton('Swap')
        self._picked_by_hand = False
        self._preferred_device = settings.device
        self.reload_devices(settings.device)
        self._dress()
        self._lay_out()
        self._separate()
        self._connect()

    def chosen(self) -> Chosen | None:
        """Return what the form says; None while there is no image."""
        moving, fixed = self.moving.layer(), self.fixed.layer()
        if moving is None or fixed is None:
            return None
        return Chosen(
            moving,
            fixed,
            self.moving.frame(),
            self.fixed.frame(),
            self.labels.layer(),
            self.model.value(),
            self.device.currentText(),
            **self.refining.values(),
        )

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        self.moving.follow()
        self.fixed.follow()
        self.labels.follow()

    def unfollow(self) -> None:
        """Leave the viewer's layers alone."""
        self.model.abandon()
        self.moving.unfollow()
        self.fixed.unfollow()
        self.labels.unfollow()

    def reload_devices(self, chosen: str = '') -> None:
        """List the devices again; more are known once torch is loaded."""
        before = chosen or self.device.currentText()
        self.device.blockSignals(True)
        self.device.clear()
        self.device.addItems(device_choices(self._preferred_device))
        self.device.setCurrentIndex(max(0, self.device.findText(before)))
        self.device.blockSignals(False)

    def _dress(self) -> None:
        self.labels.setObjectName('moving_labels')
        self.labels.setAccessibleName('moving labels layer')
        self.device.setObjectName('device')
        self.device.setAccessibleName('device')
        self.device.setToolTip(
            'Where the model runs; auto takes a GPU if torch can use one.'
        )
        self.device.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.swap.setObjectName('swap')
        self.swap.setToolTip('Exchange moving and fixed.')

    def _lay_out(self) -> None:
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow
        )
        for text, widget, tooltip in (
            ('Moving', self.moving, 'The image that is deformed.'),
            ('Fixed', self.fixed, 'The image to which it is aligned.'),
            ('', self.swap, ''),
            ('Labels', self.labels, 'Labels of the moving image to warp.'),
            ('Model', self.model, 'The network that estimates the motion.'),
            ('Device', self.device, ''),
            ('Refine', self.refining, self.refine.toolTip()),
        ):
            layout.addRow(text, widget)
            label = layout.labelForField(widget)
            if label is not None:
                label.setToolTip(tooltip or widget.toolTip())

    def _connect(self) -> None:
        for side in (self.moving, self.fixed):
            side.changed.connect(self._on_image_changed)
            side.picker.activated.connect(self._on_picked)
            side.picker.listed.connect(self._separate)
        self.labels.changed.connect(self.changed)
        self.model.changed.connect(self._on_model_changed)
        self.model.refused.connect(self.refused)
        self.model.said.connect(self.said)
        self.device.currentIndexChanged.connect(self.changed)
        self.refining.changed.connect(self.changed)
        self.swap.clicked.connect(self._swap)
        self._on_image_changed()

    def _on_model_changed(self) -> None:
        self.refining.set_from_zero(registers_from_zero(self.model.value()))
        self.changed.emit()

    def _on_picked(self, index: int) -> None:
        self._picked_by_hand = True

    def _on_image_changed(self) -> None:
        layer = self.fixed.layer()
        ndim = None
        if layer is not None and not layer.rgb:
            ndim = layer.ndim - (self.fixed.frame() is not None)
        if ndim not in (2, 3):
            ndim = None
        stacked = ndim == 3 and is_stack(layer, self.fixed.frame())
        self.model.show_for(ndim, stacked)
        self.changed.emit()

    def _separate(self) -> None:
        """Take the second image as fixed while nobody has chosen."""
        picker = self.fixed.picker
        layer = self.fixed.layer()
        if self._picked_by_hand:
            return
        alike = layer is not None and layer == self.moving.layer()
        if alike and picker.count() > 1 and not is_sequence(layer):
            picker.setCurrentIndex(1)

    def _swap(self) -> None:
        self._picked_by_hand = True
        moving, fixed = self.moving, self.fixed
        layers = moving.layer(), fixed.layer()
        frames = moving.frame(), fixed.frame()
        moving.picker.choose(layers[1])
        fixed.picker.choose(layers[0])
        for side, frame in ((moving, frames[1]), (fixed, frames[0])):
            if frame is not None:
                side.frame_box.setValue(frame)
