"""Choosing a weighting scheme and its hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.finetune.schemes import scheme_texts, title_of
from napari_adacs.widgets.parts.number_box import NumberBox

if TYPE_CHECKING:
    from napari_adacs.app.finetune.schemes import Parameter

_MOST = 1_000_000


class SchemeBox(QWidget):
    """Every registered scheme, with rows for whatever it can be told.

    `changed` fires when a hyperparameter changes, `chosen` with the name of
    a scheme that a person has chosen: its values are then the defaults of
    its class, until `show_values` says others.
    """

    changed = Signal()
    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.combo = QComboBox()
        self.rows = QWidget()
        self._form = QFormLayout(self.rows)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._inputs: dict[str, QWidget] = {}
        self._texts = {text.name: text for text in scheme_texts()}
        self._dress()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.combo)
        layout.addWidget(self.rows)
        self.setFocusProxy(self.combo)
        self.combo.currentIndexChanged.connect(self._on_scheme)
        self._on_scheme()

    def scheme(self) -> str:
        """Return the name of the scheme."""
        return str(self.combo.currentData())

    def values(self) -> dict[str, Any]:
        """Return its hyperparameters."""
        return {name: _value(w) for name, w in self._inputs.items()}

    def show_values(self, scheme: str, values: Mapping[str, Any]) -> None:
        """Show a scheme and its hyperparameters without telling anybody."""
        self.combo.blockSignals(True)
        index = max(0, self.combo.findData(scheme))
        self.combo.setCurrentIndex(index)
        self.combo.blockSignals(False)
        self._show_rows()
        for name, value in values.items():
            widget = self._inputs.get(name)
            if widget is not None:
                widget.blockSignals(True)
                _set_value(widget, value)
                widget.blockSignals(False)

    def input(self, name: str) -> QWidget:
        """Return the input of a hyperparameter."""
        return self._inputs[name]

    def _dress(self) -> None:
        self.combo.setObjectName('scheme')
        self.combo.setAccessibleName('weighting scheme')
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(14)
        self.combo.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        for text in self._texts.values():
            self.combo.addItem(text.title, text.name)
            self.combo.setItemData(
                self.combo.count() - 1,
                f'{text.summary}.',
                Qt.ItemDataRole.ToolTipRole,
            )

    def _on_scheme(self, index: int = 0) -> None:
        self._show_rows()
        self.chosen.emit(self.scheme())
        self.changed.emit()

    def _show_rows(self) -> None:
        text = self._texts[self.scheme()]
        self.combo.setToolTip(f'{text.summary}.')
        while self._form.rowCount():
            self._form.removeRow(0)
        self._inputs = {}
        for parameter in text.parameters:
            widget = self._input_of(parameter)
            if widget is None:
                continue
            self._inputs[parameter.name] = widget
            title = title_of(parameter.name)
            self._form.addRow(title, widget)
            self._form.labelForField(widget).setToolTip(widget.toolTip())

    def _input_of(self, parameter: Parameter) -> QWidget | None:
        name, default = f'option_{parameter.name}', parameter.default
        if parameter.choices:
            widget: QWidget = QComboBox()
            for choice in parameter.choices:
                widget.addItem(choice, choice)
            widget.currentIndexChanged.connect(self.changed)
        elif isinstance(default, bool):
            widget = QCheckBox()
            widget.toggled.connect(self.changed)
        elif isinstance(default, int):
            widget = QSpinBox()
            widget.setRange(0, _MOST)
            widget.valueChanged.connect(self.changed)
        elif isinstance(default, float):
            widget = NumberBox(name, default, '')
            widget.valueChanged.connect(self.changed)
        else:
            return None
        widget.setObjectName(name)
        widget.setAccessibleName(parameter.name)
        usual = f'{default:g}' if isinstance(default, float) else default
        widget.setToolTip(f'{parameter.text} Usually {usual}.')
        widget.blockSignals(True)
        _set_value(widget, default)
        widget.blockSignals(False)
        widget.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        return widget


def _value(widget: QWidget) -> Any:
    if isinstance(widget, QComboBox):
        return widget.currentData()
    if isinstance(widget, QCheckBox):
        return widget.isChecked()
    return widget.value()


def _set_value(widget: QWidget, value: Any) -> None:
    if isinstance(widget, QComboBox):
        widget.setCurrentIndex(max(0, widget.findData(value)))
    elif isinstance(widget, QCheckBox):
        widget.setChecked(bool(value))
    else:
        widget.setValue(value)
