"""A box for numbers of any size, such as learning rates."""

from __future__ import annotations

from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QWidget

_DIGITS = 12


class NumberBox(QDoubleSpinBox):
    """Shows 0.0001 as 1e-04 and steps in the last digit that matters.

    Parameters
    ----------
    name : str
        Object name; also what assistive programs call it.
    low, high : float
        Range.
    value : float
        Value at first.
    tooltip : str
        What it is.
    """

    def __init__(
        self,
        name: str,
        value: float,
        tooltip: str,
        low: float = 0.0,
        high: float = 1e6,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(name.replace('_', ' '))
        self.setToolTip(tooltip)
        self.setDecimals(_DIGITS)
        self.setRange(low, high)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.setKeyboardTracking(False)
        self.setMinimumWidth(70)
        self.setValue(value)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        """Return the shortest way to write a number."""
        return f'{value:g}'

    def valueFromText(self, text: str) -> float:  # noqa: N802
        """Read a number, with exponent or without."""
        number = text.removesuffix(self.suffix()).replace(',', '.').strip()
        try:
            return float(number)
        except ValueError:
            return self.value()

    def validate(self, text: str, place: int) -> tuple[object, str, int]:
        """Accept what is a number, or may become one."""
        number = text.removesuffix(self.suffix()).replace(',', '.').strip()
        try:
            inside = self.minimum() <= float(number) <= self.maximum()
        except ValueError:
            hopeful = not number.lower().strip('0123456789.e+-')
            state = QValidator.State
            return (
                state.Intermediate if hopeful else state.Invalid,
                text,
                place,
            )
        state = QValidator.State
        return state.Acceptable if inside else state.Intermediate, text, place
