"""What hardly anybody has to change about a training run."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_adacs.app.finetune.wishes import Wishes
from napari_adacs.widgets.parts.number_box import NumberBox

_PRECISIONS = ('float32', 'bfloat16', 'float16')


class AdvancedOptions(QWidget):
    """Rows for the rest of `Wishes`; `changed` fires when one changes."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        usual = Wishes()
        self.held_out = NumberBox(
            'held_out',
            100 * usual.held_out,
            'Share of the patients that is not trained on, and tells how '
            'good the model is.',
            high=90,
        )
        self.held_out.setSuffix(' %')
        self.vary = QCheckBox('vary brightness, noise and shape')
        self.both_ways = QCheckBox('register each pair both ways')
        self.ema = NumberBox(
            'ema',
            usual.ema,
            'Decay of a moving average of the weights, such as 0.99, which '
            'is then what is validated and kept; 0 for none.',
            high=0.9999,
        )
        self.dice_weight = NumberBox(
            'dice_weight',
            usual.dice_weight,
            'Weight of the overlap of labels as a guide; 0 trains on the '
            'images alone, as the papers do.',
        )
        self.dice_labels = QLineEdit()
        self.patience = _whole('patience', usual.patience, 1000)
        self.clip = NumberBox(
            'clip', usual.clip, 'Largest norm of a gradient; 0 for any.'
        )
        self.precision = QComboBox()
        self.seed = _whole('seed', usual.seed, 2**31 - 1)
        self._dress()
        self._lay_out()
        self._connect()

    def values(self) -> dict[str, Any]:
        """Return the fields of `Wishes` that this stands for."""
        return {
            'held_out': self.held_out.value() / 100,
            'vary': self.vary.isChecked(),
            'bidirectional': self.both_ways.isChecked(),
            'ema': self.ema.value(),
            'dice_weight': self.dice_weight.value(),
            'dice_labels': _numbers(self.dice_labels.text()),
            'patience': self.patience.value(),
            'clip': self.clip.value(),
            'precision': self.precision.currentText(),
            'seed': self.seed.value(),
        }

    def _dress(self) -> None:
        self.vary.setObjectName('vary')
        self.vary.setChecked(True)
        self.vary.setToolTip(
            'Random changes of the training pairs, so that few of them are '
            'not learnt by heart.'
        )
        self.both_ways.setObjectName('both_ways')
        self.both_ways.setChecked(True)
        self.both_ways.setToolTip(
            'Learn from moving to fixed and from fixed to moving.'
        )
        self.dice_labels.setObjectName('dice_labels')
        self.dice_labels.setAccessibleName('labels that guide')
        self.dice_labels.setPlaceholderText('such as 1, 2')
        self.dice_labels.setToolTip('Values of the labels that guide.')
        self.patience.setSpecialValueText('off')
        self.patience.setToolTip(
            'Stop after so many validations without improvement.'
        )
        self.precision.setObjectName('precision')
        self.precision.setAccessibleName('precision')
        self.precision.addItems(_PRECISIONS)
        self.precision.setToolTip(
            "Of the networks' layers: bfloat16 needs less memory, float16 "
            'needs CUDA.'
        )
        self.seed.setToolTip(
            'Of every random number: the same seed gives the same run.'
        )

    def _lay_out(self) -> None:
        layout = QFormLayout(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow
        )
        for title, widget in (
            ('Held out', self.held_out),
            ('', self.vary),
            ('', self.both_ways),
            ('Guide weight', self.dice_weight),
            ('Guide labels', self.dice_labels),
            ('Averaging', self.ema),
            ('Patience', self.patience),
            ('Clip gradient', self.clip),
            ('Precision', self.precision),
            ('Seed', self.seed),
        ):
            widget.setSizePolicy(
                QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
            )
            layout.addRow(title, widget)
            label = layout.labelForField(widget)
            if label is not None:
                label.setToolTip(widget.toolTip())

    def _connect(self) -> None:
        for box in (self.held_out, self.ema, self.dice_weight, self.clip):
            box.valueChanged.connect(self.changed)
        for box in (self.patience, self.seed):
            box.valueChanged.connect(self.changed)
        self.vary.toggled.connect(self.changed)
        self.both_ways.toggled.connect(self.changed)
        self.dice_labels.textChanged.connect(self.changed)
        self.precision.currentIndexChanged.connect(self.changed)


def _whole(name: str, value: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setObjectName(name)
    box.setAccessibleName(name)
    box.setRange(0, high)
    box.setValue(value)
    return box


def _numbers(text: str) -> tuple[int, ...]:
    words = text.replace(',', ' ').replace(';', ' ').split()
    return tuple(int(word) for word in words if word.isdecimal())
