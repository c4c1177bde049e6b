"""How to refine: the steps, and below them what they do."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

_MOST_STEPS = 10_000
_AS_MODEL = -1.0
_WHAT = (
    ('Free field', 'field', 'Move a displacement field of its own.'),
    ('Network', 'network', 'Train a copy of the network on this pair.'),
)
_BY = (
    ('Local correlation', 'lncc', 'Brightness and contrast may differ.'),
    ('Squared residual', 'mse', 'Grey values must mean the same.'),
)


class RefineOptions(QWidget):
    """Steps of refining, and how; `changed` fires when any of it changes.

    What is refined, and by what, only shows once there are steps.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps = QSpinBox()
        self.what = _box('refine_what', _WHAT)
        self.by = _box('refine_by', _BY)
        self.smoothness = QDoubleSpinBox()
        self.prior = QDoubleSpinBox()
        self._from_zero = False
        self._dress()
        self._lay_out()
        self.steps.valueChanged.connect(self._on_changed)
        self.what.currentIndexChanged.connect(self._on_changed)
        self.by.currentIndexChanged.connect(self._on_changed)
        self.smoothness.valueChanged.connect(self._on_changed)
        self.prior.valueChanged.connect(self._on_changed)
        self._refresh()

    def values(self) -> dict[str, Any]:
        """Return the settings of a `RunConfig` that this stands for."""
        return {
            'refine_steps': self.steps.value(),
            'refine': self.what.currentData(),
            'refine_similarity': self.by.currentData(),
            'refine_smoothness': self.smoothness.value(),
            'refine_prior': self._prior(),
        }

    def set_from_zero(self, from_zero: bool) -> None:
        """Say whether there is no network to start from."""
        self._from_zero = from_zero
        self.steps.setSpecialValueText('usual' if from_zero else 'off')
        self._refresh()

    def _dress(self) -> None:
        self.steps.setObjectName('refine_steps')
        self.steps.setAccessibleName('refinement steps')
        self.steps.setRange(0, _MOST_STEPS)
        self.steps.setSingleStep(10)
        self.steps.setSpecialValueText('off')
        self.steps.setToolTip(
            'Most steps of optimisation on this pair, at each resolution; '
            'it stops by itself when nothing is gained any more. '
            'Some tens are usual. Cancel keeps what there is.'
        )
        self.smoothness.setObjectName('refine_smoothness')
        self.smoothness.setAccessibleName('smoothness of refining')
        self.smoothness.setRange(0.1, 10.0)
        self.smoothness.setSingleStep(0.25)
        self.smoothness.setValue(1.0)
        self.smoothness.setPrefix('× ')
        self.smoothness.setToolTip(
            'Multiplies the usual smoothness; more for noisy images, less '
            'for fine motion.'
        )
        self._dress_prior()
        for widget in (
            self.steps,
            self.what,
            self.by,
            self.smoothness,
            self.prior,
        ):
            widget.setSizePolicy(
                QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
            )

    def _dress_prior(self) -> None:
        self.prior.setObjectName('refine_prior')
        self.prior.setAccessibleName("hold on to the model's estimate")
        self.prior.setRange(_AS_MODEL, 100.0)
        self.prior.setDecimals(1)
        self.prior.setValue(_AS_MODEL)
        self.prior.setSpecialValueText('as the model says')
        self.prior.setToolTip(
            "How much the field holds on to the model's estimate where the "
            'images tell little. 0: the images alone decide. Models that '
            'labels have guided ask for 3.'
        )

    def _prior(self) -> float | None:
        value = self.prior.value()
        return None if value < 0 else value

    def _lay_out(self) -> None:
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow
        )
        self._form.addRow(self.steps)
        self._form.addRow('What', self.what)
        self._form.addRow('By', self.by)
        self._form.addRow('Smooth', self.smoothness)
        self._form.addRow('Hold on', self.prior)

    def _on_changed(self, *_: object) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        on = self._from_zero or self.steps.value() > 0
        for widget in (self.what, self.by, self.smoothness):
            self._form.setRowVisible(widget, on)
        self.what.setEnabled(not self._from_zero)
        moves_field = self.what.currentData() == 'field'
        self._form.setRowVisible(
            self.prior, on and moves_field and not self._from_zero
        )


def _box(name: str, choices: tuple[tuple[str, str, str], ...]) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setAccessibleName(name.replace('_', ' '))
    for text, value, _ in choices:
        box.addItem(text, value)
    box.setToolTip('\n'.join(f'{text}: {tip}' for text, _, tip in choices))
    return box
