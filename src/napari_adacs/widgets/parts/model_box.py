"""Choosing a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.choices import (
    MODEL_SUFFIX,
    Choice,
    automatic_choice,
    card_of,
    model_choices,
)
from napari_adacs.app.get_model import (
    FILE_KINDS,
    Got,
    downloads,
    get_from_files,
    get_from_hub,
)
from napari_adacs.errors import ModelError
from napari_adacs.widgets.parts.card_window import CardWindow
from napari_adacs.widgets.parts.grouped_combo import fill_grouped
from napari_adacs.widgets.parts.model_getter import ModelGetter

if TYPE_CHECKING:
    from napari_adacs.registration.choice import ModelChoice

# Enough to tell the bundled models apart.
_SHOWN_LETTERS = 14


class ModelBox(QWidget):
    """The models that fit the images, and a menu to get others.

    `changed` fires when another model is chosen, `refused` with a sentence
    when a file cannot be used, `said` with what was found in one.
    """

    changed = Signal()
    refused = Signal(str)
    said = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ndim: int | None = None
        self._stacked = False
        self._automatic: ModelChoice | None = None
        self._files: list[str] = []
        self.combo = QComboBox()
        self.load_button = QPushButton('Load')
        self.menu = QMenu(self)
        self.load_action = self.menu.addAction('Load checkpoint…')
        self.download_menu = self.menu.addMenu('Download')
        self.card_action = self.menu.addAction('Model card…')
        self.getter = ModelGetter()
        self._dress()
        row = QHBoxLayout()
        row.addWidget(self.combo, 1)
        row.addWidget(self.load_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.getter)
        self.setFocusProxy(self.combo)
        self.combo.currentIndexChanged.connect(self._on_index_changed)
        self.load_action.triggered.connect(self._ask_for_files)
        self.card_action.triggered.connect(self.show_card)
        self.menu.aboutToShow.connect(self._list_downloads)
        self.getter.got.connect(self._on_got)
        self.getter.refused.connect(self.refused)
        self.getter.busy_changed.connect(self.load_button.setDisabled)
        self.reload()

    def _dress(self) -> None:
        self.combo.setObjectName('model')
        self.combo.setAccessibleName('model')
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(_SHOWN_LETTERS)
        self.combo.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.load_button.setObjectName('load_model')
        self.load_button.setToolTip(
            'Load a model or a public checkpoint from a file, or download one.'
        )
        self.load_button.setMenu(self.menu)
        self.menu.setToolTipsVisible(True)
        self.download_menu.setToolTipsVisible(True)
        self.card_action.setToolTip(
            'What the chosen model was trained on, how good it was, where '
            'it fails.'
        )
        self.load_action.setToolTip(
            'A bundle of this plugin, or a checkpoint of VoxelMorph, '
            'TransMorph or DiffuseMorph (PyTorch or Keras). Files of scoring '
            'and variance estimators may be chosen along with it.'
        )

    def value(self) -> str:
        """Return the chosen model: a name, a path, or 'auto'."""
        return str(self.combo.currentData() or 'auto')

    def show_for(self, ndim: int | None, stacked: bool = False) -> None:
        """Offer the models for images with this number of axes.

        Parameters
        ----------
        ndim : int or None
            Number of axes, None if there are no images.
        stacked : bool, default: False
            Whether their slices can be taken one by one.
        """
        if (ndim, stacked) != (self._ndim, self._stacked):
            self._ndim, self._stacked = ndim, stacked
            self._automatic = None
            self.reload()

    def show_automatic(self, chosen: ModelChoice | None) -> None:
        """Say which model the images have chosen, if they may."""
        self._automatic = chosen
        choice = automatic_choice(self._ndim, chosen)
        index = self.combo.findData(choice.value)
        if index >= 0 and self.combo.itemText(index) != choice.text:
            self.combo.setItemText(index, choice.text)
        self.combo.setItemData(
            index, choice.tooltip, Qt.ItemDataRole.ToolTipRole
        )
        self._show_tooltip()

    def reload(self) -> None:
        """Look for models again; the choice stays if it still exists."""
        before = self.combo.currentData()
        self.combo.blockSignals(True)
        fill_grouped(self.combo, self._choices(), before)
        self.combo.blockSignals(False)
        self._show_tooltip()
        if before is not None and self.combo.currentData() != before:
            self.changed.emit()

    def choose(self, value: str) -> bool:
        """Choose a model by name or path; return whether it is offered."""
        index = self.combo.findData(value)
        if index < 0 and value.endswith(MODEL_SUFFIX):
            self._files.append(value)
            self.reload()
            index = self.combo.findData(value)
        if index >= 0:
            self.combo.setCurrentIndex(index)
        return index >= 0

    def add_files(self, paths: list[str]) -> None:
        """Offer what is in some files and choose it.

        What is wrong goes to `refused`. It happens in the background.
        """
        self.getter.start(
            lambda progress, cancel: get_from_files(paths, progress, cancel)
        )

    def download(self, name: str) -> None:
        """Download a model in the background and choose it."""
        self.getter.start(
            lambda progress, cancel: get_from_hub(name, progress, cancel)
        )

    def show_card(self) -> None:
        """Show what the chosen model is, in a window of its own."""
        try:
            card = card_of(self.value(), self._ndim, self._automatic)
        except ModelError as error:
            self.refused.emit(str(error))
            return
        CardWindow(card, self.window()).show()

    def abandon(self) -> None:
        """Stop getting a model: the dock closes."""
        self.getter.abandon()

    def _choices(self) -> list[Choice]:
        """Return what to offer."""
        return model_choices(
            self._ndim, self._files, self._automatic, self._stacked
        )

    def _on_got(self, got: Got) -> None:
        if got.value != got.name and got.value not in self._files:
            self._files.append(got.value)
        by_slice = self._stacked and got.ndim == 2
        if self._ndim not in (None, got.ndim) and not by_slice:
            self.refused.emit(
                f"Model '{got.name}' is for {got.ndim}D images; it will be "
                'offered for those.'
            )
            return
        self.reload()
        self.combo.setCurrentIndex(self.combo.findData(got.value))
        self.said.emit(got.sentence)

    def _ask_for_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(
            self, 'Load a model or a checkpoint', '', FILE_KINDS
        )
        if paths:
            self.add_files(list(paths))

    def _list_downloads(self) -> None:
        """Offer what fits the images and is not here; asks no server."""
        self.download_menu.clear()
        choices = downloads(self._ndim)
        for choice in choices:
            action = self.download_menu.addAction(choice.text)
            action.setToolTip(choice.tooltip)
            action.triggered.connect(
                lambda _=False, name=choice.value: self.download(name)
            )
        self.download_menu.setEnabled(bool(choices))

    def _on_index_changed(self, index: int) -> None:
        self._show_tooltip()
        self.changed.emit()

    def _show_tooltip(self) -> None:
        tooltip = self.combo.currentData(Qt.ItemDataRole.ToolTipRole)
        self.combo.setToolTip(tooltip or '')
