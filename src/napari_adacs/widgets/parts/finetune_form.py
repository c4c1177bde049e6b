"""What is trained, on what, and how: the inputs of the Fine-tune dock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.choices import device_choices
from napari_adacs.app.finetune.starts import header_of, network_choices
from napari_adacs.app.finetune.wishes import (
    Wishes,
    free_name,
    usual_options,
    usual_wishes,
)
from napari_adacs.app.settings import compute_settings, use_model_folder
from napari_adacs.widgets.parts.advanced_options import AdvancedOptions
from napari_adacs.widgets.parts.budget_row import BudgetRow
from napari_adacs.widgets.parts.data_box import DataBox
from napari_adacs.widgets.parts.fold import Fold
from napari_adacs.widgets.parts.grid_row import GridRow
from napari_adacs.widgets.parts.number_box import NumberBox
from napari_adacs.widgets.parts.scheme_box import SchemeBox
from napari_adacs.widgets.parts.start_box import StartBox

if TYPE_CHECKING:
    from napari.components import ViewerModel


class FinetuneForm(QWidget):
    """Data, start, scheme and budget.

    `data_changed` fires when other pairs are chosen, `changed` when anything
    else is; `refused` and `said` with a sentence.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to offer.
    """

    changed = Signal()
    data_changed = Signal()
    refused = Signal(str)
    said = Signal(str)

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        settings = compute_settings()
        use_model_folder(settings.model_folder)
        self._ndim = 2
        usual = Wishes()
        self.data = DataBox(viewer)
        self.start = StartBox()
        self.network = QComboBox()
        self.grid = GridRow()
        self.scheme = SchemeBox()
        self.budget = BudgetRow()
        self.rate = NumberBox(
            'learning_rate',
            usual.learning_rate,
            'Size of the steps at the beginning; it falls to a tenth. Lower '
            'it if a loss jumps, raise it if nothing changes.',
            low=1e-9,
            high=1.0,
        )
        self.batch = QSpinBox()
        self.smoothness = NumberBox(
            'smoothness',
            usual.smoothness,
            'Weight of the roughness of the motion. Double it if the field '
            'looks nervous or folds, halve it if the warped image lags '
            'behind.',
        )
        self.device = QComboBox()
        self.name = QLineEdit()
        self.advanced = AdvancedOptions()
        self._named_by_hand = False
        self._dress(settings.device)
        self._lay_out()
        self._connect()
        self._on_start()

    @property
    def ndim(self) -> int:
        """Number of axes of the images."""
        return self._ndim

    def wishes(self) -> Wishes:
        """Return what the form says, the data left out."""
        start = header_of(self.start.value())
        wishes = replace(
            usual_wishes(start, self._ndim),
            name=self.name.text().strip(),
            start=self.start.value(),
            shape=self.grid.shape(),
            scheme=self.scheme.scheme(),
            options=self.scheme.values(),
            learning_rate=self.rate.value(),
            batch_size=self.batch.value(),
            smoothness=self.smoothness.value(),
            minutes=self.budget.in_minutes(),
            steps=self.budget.in_steps(),
            device=self.device.currentText(),
            **self.advanced.values(),
        )
        if start is None:
            wishes = replace(wishes, network=self.network.currentData())
        return wishes

    def show_ndim(self, ndim: int) -> None:
        """Offer what suits images with this number of axes."""
        if ndim == self._ndim and self.start.combo.count():
            self.start.show_for(ndim)
            return
        self._ndim = ndim
        self.start.show_for(ndim)
        self._on_start()

    def reload(self) -> None:
        """See which models there are now."""
        self.start.reload()

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        self.data.follow()

    def unfollow(self) -> None:
        """Leave the viewer's layers alone."""
        self.start.abandon()
        self.data.unfollow()

    def _on_start(self) -> None:
        """Fill in what suits another start."""
        header = header_of(self.start.value())
        usual = usual_wishes(header, self._ndim)
        scratch = header is None
        self._form.setRowVisible(self.network, scratch)
        # a network that exists was trained on its grid, but takes others
        self.grid.show_shape(usual.shape)
        self.scheme.show_values(usual.scheme, usual.options)
        for box, value in (
            (self.rate, usual.learning_rate),
            (self.batch, usual.batch_size),
            (self.smoothness, usual.smoothness),
        ):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        if not self._named_by_hand:
            self.name.setText(free_name(usual.name))
        self.changed.emit()

    def suggest_name(self) -> None:
        """Fill in a name that is free, unless somebody chose one."""
        usual = usual_wishes(header_of(self.start.value()), self._ndim)
        self._named_by_hand = False
        self.name.setText(free_name(usual.name))

    def _on_scheme(self, scheme: str) -> None:
        header = header_of(self.start.value())
        self.scheme.show_values(scheme, usual_options(scheme, header))

    def _dress(self, device: str) -> None:
        self.network.setObjectName('network')
        self.network.setAccessibleName('architecture')
        for choice in network_choices():
            self.network.addItem(choice.text, choice.value)
            self.network.setItemData(
                self.network.count() - 1,
                choice.tooltip,
                Qt.ItemDataRole.ToolTipRole,
            )
        self.network.setToolTip('The architecture of the network.')
        self.batch.setObjectName('batch_size')
        self.batch.setAccessibleName('batch size')
        self.batch.setRange(1, 256)
        self.batch.setSuffix(' pairs')
        self.batch.setToolTip(
            'Pairs per step; fewer need less memory, more are less noisy.'
        )
        self.device.setObjectName('device')
        self.device.setAccessibleName('device')
        self.device.addItems(device_choices(device))
        self.device.setCurrentText(device)
        self.device.setToolTip(
            'Where to compute; auto takes a GPU if torch can use one.'
        )
        self.name.setObjectName('model_name')
        self.name.setAccessibleName('name of the new model')
        self.name.setToolTip(
            'Name of the new model: under it the Register dock offers it.'
        )

    def _lay_out(self) -> None:
        rows = QWidget()
        self._form = QFormLayout(rows)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow
        )
        for title, widget, tooltip in (
            ('Pairs', self.data.kind, 'The pairs of images to learn from.'),
            ('', self.data, ''),
            ('Start', self.start, 'The model that goes on learning.'),
            ('Network', self.network, ''),
            ('Grid', self.grid, ''),
            ('Scheme', self.scheme, 'How much each residual counts.'),
            ('Rate', self.rate, ''),
            ('Batch', self.batch, ''),
            ('Smooth', self.smoothness, ''),
            ('Budget', self.budget, ''),
            ('Device', self.device, ''),
            ('Name', self.name, ''),
        ):
            if isinstance(widget, QComboBox | QSpinBox | NumberBox):
                widget.setSizePolicy(
                    QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
                )
            if not title:
                self._form.addRow(widget)
                continue
            self._form.addRow(title, widget)
            label = self._form.labelForField(widget)
            label.setToolTip(tooltip or widget.toolTip())
        fold = Fold(
            'Advanced',
            self.advanced,
            'advanced',
            'Held-out share, labels as a guide, averaging, seed and more.',
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(rows)
        layout.addWidget(fold)

    def _connect(self) -> None:
        self.data.changed.connect(self.data_changed)
        self.start.changed.connect(self._on_start)
        self.start.refused.connect(self.refused)
        self.start.said.connect(self.said)
        self.scheme.chosen.connect(self._on_scheme)
        for part in (self.grid, self.scheme, self.budget, self.advanced):
            part.changed.connect(self.changed)
        self.advanced.held_out.valueChanged.connect(self.data_changed)
        for box in (self.rate, self.batch, self.smoothness):
            box.valueChanged.connect(self.changed)
        for combo in (self.network, self.device):
            combo.currentIndexChanged.connect(self.changed)
        self.name.textChanged.connect(self.changed)
        self.name.textEdited.connect(self._on_named)

    def _on_named(self, text: str) -> None:
        self._named_by_hand = bool(text)
