"""The slider that scales the score of a DiffuseMorph model."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

# One registration after another while a hand is on the slider would lag
# behind it.
_REST_MS = 120
_STEPS = 20  # from 0 to 1


class EtaSlider(QWidget):
    """Scale of the score, from 0 to 1.

    `moved` fires with the value once the slider rests for a moment.
    """

    moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName('eta')
        self.slider.setAccessibleName('eta')
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_STEPS // 4)
        self.slider.setToolTip(
            'Scale of the diffusion score, eta. Values below 1 give motions '
            'between; only the field network runs again.'
        )
        self._number = QLabel()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        label = QLabel('&eta')
        label.setBuddy(self.slider)
        row.addWidget(label)
        row.addWidget(self.slider)
        row.addWidget(self._number)
        self.slider.valueChanged.connect(self._on_moved)
        self._rest.timeout.connect(lambda: self.moved.emit(self.value))
        self.show_value(1.0)
        self.hide()

    @property
    def value(self) -> float:
        """The scale."""
        return self.slider.value() / _STEPS

    def show_value(self, value: float) -> None:
        """Show a scale without a signal."""
        self._rest.stop()
        self.slider.blockSignals(True)
        self.slider.setValue(round(value * _STEPS))
        self.slider.blockSignals(False)
        self._number.setText(f'{value:.2f}')

    def _on_moved(self) -> None:
        self._number.setText(f'{self.value:.2f}')
        self._rest.start()
