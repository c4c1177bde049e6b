"""Open layers become files that another process can read."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from napari_adacs.app.finetune.layer_pairs import LayerPair
from napari_adacs.app.finetune.survey import images_of
from napari_adacs.app.layers import LayerImage
from napari_adacs.errors import CancelledError
from napari_adacs.io.atomic import atomic_path
from napari_adacs.io.nifti import save_volume
from napari_adacs.io.pair_manifest import COLUMNS
from napari_adacs.registration.progress import Progress

if TYPE_CHECKING:
    from napari.components import ViewerModel

TABLE = 'pairs.csv'
FOLDER = 'images'


@dataclass(frozen=True, eq=False)
class PairImages:
    """A pair of layers as it was when the run was started.

    Parameters
    ----------
    name, patient : str
        What to call it, and whose it is.
    images : dict of str to LayerImage
        By column of the table of pairs; voxels are not read yet.
    """

    name: str
    patient: str
    images: dict[str, LayerImage]


def collect(
    viewer: ViewerModel, pairs: Sequence[LayerPair]
) -> tuple[PairImages, ...]:
    """Take from the layers all that is needed, without reading voxels.

    Raises
    ------
    InputError
        If a layer is missing or cannot be used.
    """
    return tuple(
        PairImages(
            pair.name, pair.patient or pair.name, images_of(viewer, pair)
        )
        for pair in pairs
        if pair.used
    )


def export(
    pairs: Sequence[PairImages],
    folder: Path,
    progress: Progress,
    cancel: Event,
) -> Path:
    """Write images and their table into a folder, in a worker.

    Files lie where the layers lie: in the same world, with the same voxels.

    Parameters
    ----------
    pairs : sequence of PairImages
        What to write.
    folder : Path
        Folder of the run; made if it does not exist.
    progress : callable
        Called with (fraction, what is written).
    cancel : threading.Event
        Set to stop.

    Returns
    -------
    Path
        The table of pairs.

    Raises
    ------
    InputError
        If the folder cannot be written to or an image cannot be stored.
    CancelledError
        If `cancel` was set.
    """
    images = folder / FOLDER
    images.mkdir(parents=True, exist_ok=True)
    rows = []
    for index, pair in enumerate(pairs):
        progress(index / len(pairs), f'Writing {pair.name}')
        row = {'name': pair.name, 'patient': pair.patient}
        for role, image in pair.images.items():
            if cancel.is_set():
                raise CancelledError
            name = f'{index + 1:03d}_{_safe(pair.name)}_{role}.nii.gz'
            _write(images / name, image, role)
            row[role] = f'{FOLDER}/{name}'
        rows.append(row)
    with (
        atomic_path(folder / TABLE) as temporary,
        open(temporary, 'w', newline='', encoding='utf-8') as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, restval='')
        writer.writeheader()
        writer.writerows(rows)
    return folder / TABLE


def _write(path: Path, image: LayerImage, role: str) -> None:
    loaded = image.load()
    labels = role.endswith('labels')
    data = np.asarray(loaded.data)
    save_volume(path, data, loaded.grid, labels=labels, axis_order='zyx')


def _safe(name: str) -> str:
    return re.sub(r'[^\w\-.]+', '_', name).strip('._') or 'pair'
