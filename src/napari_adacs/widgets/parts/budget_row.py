"""How long to train: minutes or steps."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QWidget

_MOST_MINUTES, _MOST_STEPS = 7 * 24 * 60, 1_000_000


class BudgetRow(QWidget):
    """A number and its unit; `changed` fires when either changes."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.minutes = _box('minutes', 1, _MOST_MINUTES, 10)
        self.steps = _box('steps', 1, _MOST_STEPS, 1000)
        self.steps.setSingleStep(100)
        self.unit = QComboBox()
        self.unit.setObjectName('budget_unit')
        self.unit.setAccessibleName('unit of the budget')
        self.unit.addItem('minutes', True)
        self.unit.addItem('steps', False)
        tooltip = (
            'How long to train. Ten minutes show whether it helps; it may be '
            'stopped at any time, and what was learnt so far is kept.'
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.minutes, self.steps, self.unit):
            widget.setToolTip(tooltip)
            layout.addWidget(widget, 1)
        self.setToolTip(tooltip)
        self.minutes.valueChanged.connect(self.changed)
        self.steps.valueChanged.connect(self.changed)
        self.unit.currentIndexChanged.connect(self._on_unit)
        self._on_unit()

    def in_minutes(self) -> float | None:
        """Return the minutes; None if steps were chosen."""
        timed = self.unit.currentData()
        return float(self.minutes.value()) if timed else None

    def in_steps(self) -> int:
        """Return the steps."""
        return int(self.steps.value())

    def _on_unit(self, index: int = 0) -> None:
        timed = self.unit.currentData()
        self.minutes.setVisible(timed)
        self.steps.setVisible(not timed)
        self.changed.emit()


def _box(name: str, low: int, high: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setObjectName(name)
    box.setAccessibleName(name)
    box.setRange(low, high)
    box.setValue(value)
    box.setKeyboardTracking(False)
    return box
