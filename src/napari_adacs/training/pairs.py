"""Image pairs to train and validate on.

Images are in [0, 1], both of a pair on one grid.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.spatial.grid import Grid


@dataclass(frozen=True, eq=False)
class TrainingPair:
    """Two images to register, with labels where they exist.

    Parameters
    ----------
    moving, fixed : (*shape) numpy.ndarray of float32
        Images in [0, 1], on one grid.
    moving_labels, fixed_labels : (*shape) numpy.ndarray of uint8, optional
        Segmentations.
    name : str
        For reports.
    group : str
        Patient; the name, if empty.
    spacing : tuple of float
        Voxel size in the units; empty for 1.
    units : {'mm', 'voxel'}
        Units of the spacing: 'voxel' is a voxel of the images' files.
    grid : Grid, optional
        Where the pair lies in the world, if that is known.
    displacement : (ndim, *shape) numpy.ndarray of float32, optional
        The true pull-back displacement in voxels, NaN where it is unknown;
        phantoms have one.
    """

    moving: NDArray[np.float32]
    fixed: NDArray[np.float32]
    moving_labels: NDArray[np.uint8] | None = None
    fixed_labels: NDArray[np.uint8] | None = None
    name: str = ''
    group: str = ''
    spacing: tuple[float, ...] = ()
    units: Literal['mm', 'voxel'] = 'voxel'
    grid: Grid | None = None
    displacement: NDArray[np.float32] | None = None


class PairSource(ABC):
    """A finite collection of pairs, read when asked for."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of pairs."""

    @abstractmethod
    def __getitem__(self, index: int) -> TrainingPair:
        """Return one pair."""

    def name(self, index: int) -> str:
        """Return the name of a pair, also of one that cannot be read."""
        return self[index].name


def normalise(image: NDArray[np.generic]) -> NDArray[np.float32]:
    """Scale an image to [0, 1] by its minimum and maximum.

    A constant image becomes zero (0 / 0 in the published code).
    """
    values = np.asarray(image, np.float32)
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros_like(values)
    scaled: NDArray[np.float32] = (values - low) / (high - low)
    return scaled


class MatFolder(PairSource):
    """Pairs in the papers' MATLAB files.

    Each file holds `im_ED`, `im_ES` and optionally `label_ED`, `label_ES`
    (or `myo_ED`, `myo_ES`, which become label 2).

    Parameters
    ----------
    folder : str or Path
        Folder of `.mat` files.
    reverse : bool, default: False
        Whether ES moves onto ED.

    Raises
    ------
    InputError
        If the folder has no such file.
    """

    def __init__(self, folder: str | Path, reverse: bool = False) -> None:
        self.files = sorted(Path(folder).glob('*.mat'))
        self.reverse = reverse
        if not self.files:
            raise InputError(
                f"There are no .mat files in '{folder}'.",
                'Point to a folder of image pairs.',
            )
        self._cache: dict[int, TrainingPair] = {}

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def name(self, index: int) -> str:
        """Return the file name without its suffix."""
        return self.files[index].stem

    def __getitem__(self, index: int) -> TrainingPair:
        """Read one pair; kept in memory afterwards."""
        if index not in self._cache:
            self._cache[index] = read_mat(self.files[index], self.reverse)
        return self._cache[index]


def read_mat(path: Path, reverse: bool = False) -> TrainingPair:
    """Read a pair of the papers' MATLAB files, see `MatFolder`.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    data = _load_mat(path)
    frames = [normalise(data[f'im_{f}']) for f in ('ED', 'ES')]
    if frames[0].shape != frames[1].shape:
        raise InputError(
            f'The images of {path.name} have different shapes, '
            f'{frames[0].shape} and {frames[1].shape}.'
        )
    labels: list[NDArray[np.uint8] | None] = []
    for frame in ('ED', 'ES'):
        if f'label_{frame}' in data:
            labels.append(data[f'label_{frame}'].astype(np.uint8))
        elif f'myo_{frame}' in data:
            labels.append((data[f'myo_{frame}'] > 0).astype(np.uint8) * 2)
        else:
            labels.append(None)
    if reverse:
        frames.reverse()
        labels.reverse()
    return TrainingPair(
        frames[0],
        frames[1],
        labels[0],
        labels[1],
        path.stem,
        path.stem.split('_')[0],
    )


def _load_mat(path: Path) -> dict[str, NDArray[Any]]:
    """Read a MATLAB file that holds both images."""
    from scipy.io import loadmat

    try:
        data: dict[str, NDArray[Any]] = loadmat(path)
    except Exception as error:  # noqa: BLE001  scipy raises many kinds
        raise InputError(
            f'{path.name} is damaged or no MATLAB file of version 4 to 7.2.',
            'Save it again, or take it out of the folder.',
        ) from error
    missing = [n for n in ('im_ED', 'im_ES') if n not in data]
    if missing:
        raise InputError(
            f'{path.name} has no {" and no ".join(missing)}.',
            'Each file needs the images im_ED and im_ES.',
        )
    return data


class PairList(PairSource):
    """Pairs that are already in memory."""

    def __init__(self, pairs: Sequence[TrainingPair]) -> None:
        self._pairs = list(pairs)
        if not self._pairs:
            raise InputError('There are no pairs to train on.')

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> TrainingPair:
        """Return one pair."""
        return self._pairs[index]


class PairUnion(PairSource):
    """Several sources, one after the other."""

    def __init__(self, sources: Sequence[PairSource]) -> None:
        self._sources = list(sources)

    def __len__(self) -> int:
        """Return the number of pairs in all."""
        return sum(len(source) for source in self._sources)

    def __getitem__(self, index: int) -> TrainingPair:
        """Return one pair."""
        for source in self._sources:
            if index < len(source):
                return source[index]
            index -= len(source)
        raise IndexError('There are no more pairs.')


class Chosen(PairSource):
    """Some of the pairs of a source.

    Parameters
    ----------
    source : PairSource
        All pairs.
    indices : sequence of int
        Which ones.
    """

    def __init__(self, source: PairSource, indices: Sequence[int]) -> None:
        self._source = source
        self._indices = list(indices)

    def __len__(self) -> int:
        """Return how many are chosen."""
        return len(self._indices)

    def name(self, index: int) -> str:
        """Return the name of a pair."""
        return self._source.name(self._indices[index])

    def __getitem__(self, index: int) -> TrainingPair:
        """Return one pair."""
        return self._source[self._indices[index]]
