"""A combo box of the labels of an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

if TYPE_CHECKING:
    from napari_adacs.evaluation.report import Evaluation

_MEAN = 'mean of all labels'


class LabelCombo(QComboBox):
    """Lets a person choose a label; `changed` fires when another is chosen.

    Parameters
    ----------
    name : str
        Object name.
    tooltip : str
        What the label is for.
    mean : bool
        Whether the mean over all labels can be chosen, and is at first.
    """

    changed = Signal()

    def __init__(
        self,
        name: str,
        tooltip: str,
        *,
        mean: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mean = mean
        self.setObjectName(name)
        self.setAccessibleName('label')
        self.setToolTip(tooltip)
        narrow(self)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.currentIndexChanged.connect(self.changed)

    def offer(self, evaluation: Evaluation) -> None:
        """List the labels of an evaluation; the choice stays if it can."""
        before = self.value()
        self.blockSignals(True)
        self.clear()
        if self._mean:
            self.addItem(_MEAN, None)
        for row in evaluation.rows:
            self.addItem(f'{row.label} {row.name}'.strip(), int(row.label))
        self.choose(before)
        self.blockSignals(False)

    def value(self) -> int | None:
        """Return the chosen label; None for the mean or for nothing."""
        value: int | None = self.currentData()
        return value

    def choose(self, label: int | None) -> None:
        """Choose a label if it is listed."""
        values = [self.itemData(i) for i in range(self.count())]
        if label in values:
            self.setCurrentIndex(values.index(label))


def narrow(combo: QComboBox, letters: int = 6) -> None:
    """Keep long entries from making the dock wide."""
    combo.setSizeAdjustPolicy(
        QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    combo.setMinimumContentsLength(letters)
