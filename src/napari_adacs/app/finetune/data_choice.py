"""Where the pairs to train on come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from napari_adacs.app.finetune.layer_pairs import LayerPair


class DataKind(StrEnum):
    """What pairs are taken from."""

    LAYERS = 'layers'
    FOLDER = 'folder'
    TABLE = 'table'
    PATTERN = 'pattern'


@dataclass(frozen=True)
class DataChoice:
    """The pairs that a person has chosen.

    Parameters
    ----------
    kind : DataKind
        What they are taken from.
    text : str, default: ''
        The folder, table or pattern.
    pairs : tuple of LayerPair
        The open layers.
    """

    kind: DataKind = DataKind.LAYERS
    text: str = ''
    pairs: tuple[LayerPair, ...] = ()

    @property
    def used(self) -> tuple[LayerPair, ...]:
        """Pairs of layers to train on."""
        return tuple(pair for pair in self.pairs if pair.used)
