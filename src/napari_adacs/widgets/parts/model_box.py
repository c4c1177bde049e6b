"""Choosing a model."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_adacs.app.choices import (
    MODEL_SUFFIX,
    model_choices,
    model_in_file,
)
from napari_adacs.errors import ModelError

# Enough to tell the bundled models apart.
_SHOWN_LETTERS = 15


class ModelBox(QWidget):
    """The models that fit the images, and a button for a file.

    `changed` fires when another model is chosen, `refused` with a sentence
    when a file cannot be used.
    """

    changed = Signal()
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ndim: int | None = None
        self._files: list[str] = []
        self.combo = QComboBox()
        self.combo.setObjectName('model')
        self.combo.setAccessibleName('model')
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(_SHOWN_LETTERS)
        self.combo.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.load_button = QPushButton('Load…')
        self.load_button.setObjectName('load_bundle')
        self.load_button.setToolTip(
            f'Load a model bundle ({MODEL_SUFFIX}) from a file.'
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.combo, 1)
        layout.addWidget(self.load_button)
        self.setFocusProxy(self.combo)
        self.combo.currentIndexChanged.connect(self._on_index_changed)
        self.load_button.clicked.connect(self._ask_for_file)
        self.reload()

    def value(self) -> str:
        """Return the chosen model: a name, a path, or 'auto'."""
        return str(self.combo.currentData() or 'auto')

    def show_for(self, ndim: int | None) -> None:
        """Offer the models for images with this number of axes."""
        if ndim != self._ndim:
            self._ndim = ndim
            self.reload()

    def reload(self) -> None:
        """Look for models again; the choice stays if it still exists."""
        before = self.combo.currentData()
        self.combo.blockSignals(True)
        self.combo.clear()
        for choice in model_choices(self._ndim, self._files):
            self.combo.addItem(choice.text, choice.value)
            self.combo.setItemData(
                self.combo.count() - 1,
                choice.tooltip,
                Qt.ItemDataRole.ToolTipRole,
            )
        self.combo.setCurrentIndex(max(0, self.combo.findData(before)))
        self.combo.blockSignals(False)
        self._show_tooltip()
        if before is not None and self.combo.currentData() != before:
            self.changed.emit()

    def add_file(self, path: str) -> None:
        """Offer a bundle and choose it; what is wrong goes to `refused`."""
        try:
            name, ndim = model_in_file(path)
        except ModelError as error:
            self.refused.emit(str(error))
            return
        if path not in self._files:
            self._files.append(path)
        if self._ndim not in (None, ndim):
            self.refused.emit(
                f"Model '{name}' is for {ndim}D images; it will be offered "
                'for those.'
            )
            return
        self.reload()
        self.combo.setCurrentIndex(self.combo.findData(path))

    def _ask_for_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, 'Load a model bundle', '', f'Model bundles (*{MODEL_SUFFIX})'
        )
        if path:
            self.add_file(path)

    def _on_index_changed(self, index: int) -> None:
        self._show_tooltip()
        self.changed.emit()

    def _show_tooltip(self) -> None:
        tooltip = self.combo.currentData(Qt.ItemDataRole.ToolTipRole)
        self.combo.setToolTip(tooltip or '')
