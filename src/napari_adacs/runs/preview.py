"""What the networks of a run make of one held-out pair."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.spatial.grid import Grid, Units
from napari_adacs.training.run_files import NEWEST, PREVIEW_IMAGE, PREVIEWS

_UNREADABLE = (
    InputError,
    KeyError,
    OSError,
    ValueError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True, eq=False)
class Preview:
    """A held-out pair after some steps.

    Parameters
    ----------
    step : int
        Steps done; 0 shows what the run starts from.
    images : dict of str to (*shape) numpy.ndarray of float16
        'moving', 'fixed', 'warped' and maps such as 'score', 'variance' or
        'weight', on the network's grid.
    spacing : tuple of float
        Voxel size, 1 where it is not known.
    name : str
        Name of the pair.
    grid : Grid or None
        Where the images lie in the world; None where the data do not say.
    """

    step: int
    images: dict[str, NDArray[np.float16]]
    spacing: tuple[float, ...]
    name: str = ''
    grid: Grid | None = None


class PreviewReader:
    """Reads the newest preview of a run, each once.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / PREVIEWS / NEWEST
        self._seen = (0, 0)

    def read(self) -> Preview | None:
        """Return the newest preview; None if it was returned before."""
        try:
            found = self._path.stat()
            now = (found.st_mtime_ns, found.st_ino)
            if now == self._seen:
                return None
            preview = _read(self._path)
        except _UNREADABLE:
            return None
        self._seen = now
        return preview


def _read(path: Path) -> Preview:
    with np.load(path, allow_pickle=False) as data:
        images = {
            name.removeprefix(PREVIEW_IMAGE): data[name]
            for name in data.files
            if name.startswith(PREVIEW_IMAGE)
        }
        spacing = tuple(float(step) for step in data['spacing'])
        name = str(data['name']) if 'name' in data.files else ''
        grid = None
        if 'affine' in data.files:
            units: Units = 'mm' if str(data['units']) == 'mm' else 'voxel'
            grid = Grid(images['fixed'].shape, data['affine'], units)
        return Preview(int(data['step']), images, spacing, name, grid)
