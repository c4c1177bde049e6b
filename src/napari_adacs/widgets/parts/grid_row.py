"""The grid on which a network works."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QSpinBox, QWidget

_STEP = 16
_MOST = 1024
_AXES = 3


class GridRow(QWidget):
    """Two or three sizes; `changed` fires when one changes."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes = [QSpinBox() for _ in range(_AXES)]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        tooltip = (
            'Images are resampled to this many voxels for the network; more '
            'voxels take more time and memory.'
        )
        for index, box in enumerate(self.boxes):
            box.setObjectName(f'network_grid_{index}')
            box.setAccessibleName(f'voxels of the network, axis {index + 1}')
            box.setRange(_STEP, _MOST)
            box.setSingleStep(_STEP)
            box.setKeyboardTracking(False)
            box.setToolTip(tooltip)
            box.valueChanged.connect(self.changed)
            layout.addWidget(box, 1)
        self.setToolTip(tooltip)

    def shape(self) -> tuple[int, ...]:
        """Return the sizes."""
        return tuple(b.value() for b in self.boxes if not b.isHidden())

    def show_shape(self, shape: Sequence[int]) -> None:
        """Show other sizes without telling anybody."""
        for index, box in enumerate(self.boxes):
            box.blockSignals(True)
            box.setVisible(index < len(shape))
            if index < len(shape):
                box.setValue(shape[index])
            box.blockSignals(False)
