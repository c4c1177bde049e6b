"""Rows of sliders and choices for whatever can be set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QSlider,
    QWidget,
)

if TYPE_CHECKING:
    from napari_adacs.app.review.views.base import Option


class OptionRows(QWidget):
    """One row per option; `changed` fires with a name and a value."""

    changed = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._options: tuple[Option, ...] = ()
        self._inputs: dict[str, QWidget] = {}

    def show_options(
        self, options: Iterable[Option], values: Mapping[str, float]
    ) -> None:
        """Show these options and no others."""
        options = tuple(options)
        if options != self._options:
            while self._layout.rowCount():
                self._layout.removeRow(0)
            self._options = options
            self._inputs = {o.name: self._add(o) for o in options}
        for name, value in values.items():
            self.set_value(name, value)

    def set_value(self, name: str, value: float) -> None:
        """Show a value without telling anybody."""
        widget = self._inputs.get(name)
        if isinstance(widget, QComboBox):
            widget.blockSignals(True)
            widget.setCurrentIndex(int(value))
            widget.blockSignals(False)
        elif widget is not None:
            widget.set_value(value)

    def input(self, name: str) -> QWidget:
        """Return the input of an option."""
        return self._inputs[name]

    def _add(self, option: Option) -> QWidget:
        if option.choices:
            widget: QWidget = QComboBox()
            widget.addItems(option.choices)
            widget.currentIndexChanged.connect(
                lambda value: self.changed.emit(option.name, float(value))
            )
        else:
            widget = NumberInput(option)
            widget.changed.connect(
                lambda value: self.changed.emit(option.name, value)
            )
        widget.setObjectName(f'option_{option.name}')
        widget.setToolTip(option.tooltip)
        widget.setAccessibleName(option.title)
        self._layout.addRow(option.title, widget)
        self._layout.labelForField(widget).setToolTip(option.tooltip)
        return widget


class NumberInput(QWidget):
    """A slider and a box for the same number; `changed` fires with it.

    Parameters
    ----------
    option : Option
        Range, step and unit.
    """

    changed = Signal(float)

    def __init__(self, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.box = QDoubleSpinBox()
        self.box.setKeyboardTracking(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self.set_range(option.low, option.high, option.step, option.unit)
        self.set_value(option.default)
        self.slider.valueChanged.connect(self._on_slider)
        self.box.valueChanged.connect(self._on_box)

    def setToolTip(self, text: str) -> None:  # noqa: N802
        """Say the same everywhere."""
        super().setToolTip(text)
        self.slider.setToolTip(text)
        self.box.setToolTip(text)

    def set_range(
        self, low: float, high: float, step: float, unit: str = ''
    ) -> None:
        """Offer other numbers."""
        for widget in (self.slider, self.box):
            widget.blockSignals(True)
        self._low, self._step = low, step
        self.slider.setRange(0, max(1, round((high - low) / step)))
        self.slider.setPageStep(max(1, self.slider.maximum() // 10))
        digits = 0
        while digits < 4 and abs(round(step, digits) - step) > 0.05 * step:
            digits += 1
        self.box.setDecimals(digits)
        self.box.setRange(low, high)
        self.box.setSingleStep(step)
        self.box.setSuffix(f' {unit}' if unit else '')
        for widget in (self.slider, self.box):
            widget.blockSignals(False)

    def value(self) -> float:
        """Return the number."""
        return float(self.box.value())

    def set_value(self, value: float) -> None:
        """Show a number without telling anybody."""
        self.box.blockSignals(True)
        self.box.setValue(value)
        self.box.blockSignals(False)
        self._move_slider(value)

    def step_by(self, steps: int) -> None:
        """Take some steps, of a tenth of the range each."""
        self.slider.setValue(
            self.slider.value() + steps * self.slider.pageStep()
        )

    def _on_slider(self, value: int) -> None:
        number = self._low + value * self._step
        self.box.blockSignals(True)
        self.box.setValue(number)
        self.box.blockSignals(False)
        self.changed.emit(number)

    def _on_box(self, value: float) -> None:
        self._move_slider(value)
        self.changed.emit(value)

    def _move_slider(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round((value - self._low) / self._step))
        self.slider.blockSignals(False)
