"""Choosing the pairs to train on: open layers, or files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_adacs.app.finetune.data_choice import DataChoice, DataKind
from napari_adacs.app.finetune.layer_pairs import (
    find_layer_pairs,
    image_choices,
    label_choices,
)
from napari_adacs.widgets.parts.follower import Connection, Follower
from napari_adacs.widgets.parts.pair_table import PairTable

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_adacs.app.finetune.layer_pairs import LayerPair

_KINDS = (
    ('Open layers', DataKind.LAYERS, 'Pairs among the layers of the viewer.'),
    (
        'Folder',
        DataKind.FOLDER,
        (
            'A folder, searched to its depth: two files are a pair if their '
            'names differ only in ED/ES, moving/fixed or source/target; gt, '
            'label, seg or mask makes a file the segmentation. Or one with '
            "train/ and val/, or with the papers' .mat files."
        ),
    ),
    (
        'Table (.csv)',
        DataKind.TABLE,
        (
            'A table with the columns moving and fixed and, as needed, '
            'moving_labels, fixed_labels, moving_frame, fixed_frame, name, '
            'patient, split.'
        ),
    ),
    (
        'Pattern',
        DataKind.PATTERN,
        (
            'File names with {patient} for what differs from pair to pair, '
            '{ED>ES} for what moving and fixed image are called, and [|_gt] '
            'for what the name of a segmentation has in addition.'
        ),
    ),
)
_EXAMPLES = {
    DataKind.FOLDER: 'folder of pairs',
    DataKind.TABLE: 'pairs.csv',
    DataKind.PATTERN: 'data/{patient}/{patient}_{ED>ES}[|_gt].nii.gz',
}


class DataBox(Follower, QWidget):
    """Emits `changed` when other pairs are chosen.

    The box `kind` belongs to it, and is laid out by its owner.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers to offer.
    """

    changed = Signal()

    def __init__(
        self, viewer: ViewerModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._edited: dict[tuple[object, object], LayerPair] = {}
        self.kind = QComboBox()
        self.path = QLineEdit()
        self.browse = QPushButton('Browse…')
        self.files = QWidget()
        self.table = PairTable(
            lambda: image_choices(viewer), lambda: label_choices(viewer)
        )
        self._dress()
        self._lay_out()
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.path.textChanged.connect(self.changed)
        self.browse.clicked.connect(self._browse)
        self.table.changed.connect(self._on_edited)
        self._on_kind()

    def choice(self) -> DataChoice:
        """Return what is chosen."""
        return DataChoice(
            self.kind.currentData(), self.path.text(), self.table.pairs()
        )

    def choose_kind(self, kind: DataKind) -> None:
        """Choose where pairs come from."""
        self.kind.setCurrentIndex(self.kind.findData(kind))

    def follow(self) -> None:
        """Follow the viewer's layers from now on."""
        super().follow()
        self.find_pairs()

    def find_pairs(self) -> None:
        """Look for pairs among the layers; what was changed by hand stays."""
        found = find_layer_pairs(self._viewer)
        self.table.show_pairs([self._edited.get(_key(p), p) for p in found])
        self._found = found
        self.changed.emit()

    def _connections(self) -> list[Connection]:
        events = self._viewer.layers.events
        changes = events.inserted, events.removed, events.renamed
        return [(event, self._on_layers) for event in changes]

    def _on_layers(self, event: object) -> None:
        self.find_pairs()

    def _on_edited(self) -> None:
        for found, pair in zip(self._found, self.table.pairs(), strict=True):
            if pair != found:
                self._edited[_key(found)] = pair
        self.changed.emit()

    def _on_kind(self, index: int = 0) -> None:
        kind = self.kind.currentData()
        layers = kind is DataKind.LAYERS
        self.table.setVisible(layers)
        self.files.setVisible(not layers)
        self.browse.setVisible(kind in (DataKind.FOLDER, DataKind.TABLE))
        self.path.setPlaceholderText(_EXAMPLES.get(kind, ''))
        self.path.setToolTip(self.kind.toolTip())
        self.changed.emit()

    def _browse(self) -> None:
        if self.kind.currentData() is DataKind.FOLDER:
            path = QFileDialog.getExistingDirectory(
                self, 'Folder of pairs', self.path.text()
            )
        else:
            path, _ = QFileDialog.getOpenFileName(
                self,
                'Table of pairs',
                self.path.text(),
                'Tables (*.csv *.tsv)',
            )
        if path:
            self.path.setText(path)

    def _dress(self) -> None:
        self.kind.setObjectName('data_kind')
        self.kind.setAccessibleName('where pairs come from')
        for text, kind, _ in _KINDS:
            self.kind.addItem(text, kind)
        self.kind.setToolTip(
            '\n'.join(f'{text}: {tooltip}' for text, _, tooltip in _KINDS)
        )
        self.kind.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        )
        self.path.setObjectName('data_path')
        self.path.setAccessibleName('folder, table or pattern')
        self.path.setClearButtonEnabled(True)
        self.browse.setObjectName('browse_data')
        self.browse.setToolTip('Choose it in a dialog.')

    def _lay_out(self) -> None:
        row = QHBoxLayout(self.files)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.path, 1)
        row.addWidget(self.browse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.files)
        layout.addWidget(self.table)


def _key(pair: LayerPair) -> tuple[object, object]:
    """Return what a pair is recognised by when layers are listed anew."""
    sides = (pair.moving, pair.fixed)
    first, second = (None if s is None else s.layer_id for s in sides)
    return first, second
