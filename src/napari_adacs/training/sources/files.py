"""Pairs of image files, as the network will see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.images import read_image
from napari_adacs.io.label_guess import as_labels
from napari_adacs.io.pair_files import PairFiles
from napari_adacs.models.header import Preprocessing
from napari_adacs.registration.inputs import ImageOnGrid, check_pair, checked
from napari_adacs.registration.preprocess import network_grid, prepare
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.operators import identity_coordinates
from napari_adacs.spatial.sampling import apply_affine, nearest_labels
from napari_adacs.training.config import TrainConfig
from napari_adacs.training.pairs import PairSource, TrainingPair


class FilePairs(PairSource):
    """Image files, brought to the network's grid as `register` does it.

    Parameters
    ----------
    files : sequence of PairFiles
        What to read.
    config : TrainConfig
        Grid of the network and its orientation.
    """

    def __init__(
        self, files: Sequence[PairFiles], config: TrainConfig
    ) -> None:
        self.files = list(files)
        self._ndim = config.ndim
        self._preprocessing = Preprocessing(
            'resize', tuple(config.shape), config.orientation
        )

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.files)

    def name(self, index: int) -> str:
        """Return the name of a pair without reading it."""
        return self.files[index].name

    def __getitem__(self, index: int) -> TrainingPair:
        """Read one pair.

        Raises
        ------
        InputError
            If a file cannot be used.
        """
        files = self.files[index]
        moving = _image(files, 'moving', files.moving_frame)
        fixed = _image(files, 'fixed', files.fixed_frame)
        if moving.grid.ndim != self._ndim:
            raise InputError(
                f'{files.moving.name} is {moving.grid.ndim}D, not '
                f'{self._ndim}D.'
            )
        check_pair(moving, fixed)
        grid = network_grid(fixed, self._preprocessing, 1)
        pair = prepare(moving, fixed, grid)
        return TrainingPair(
            pair.moving[0, 0].numpy(),
            pair.fixed[0, 0].numpy(),
            _labels(files.moving_labels, files.moving_frame, moving, grid),
            _labels(files.fixed_labels, files.fixed_frame, fixed, grid),
            files.name,
            files.group,
            tuple(float(step) for step in grid.spacing),
            grid.units,
            grid,
        )


def _image(files: PairFiles, role: str, frame: int | None) -> ImageOnGrid:
    path = files.moving if role == 'moving' else files.fixed
    volume = read_image(path)
    data = volume.frame(frame, f'a table of pairs: {role}_frame')
    return checked(ImageOnGrid(data, volume.grid, role))


def _labels(
    path: Any, frame: int | None, image: ImageOnGrid, target: Grid
) -> NDArray[np.uint8] | None:
    if path is None:
        return None
    volume = read_image(path)
    if not volume.grid.same_space(image.grid):
        raise InputError(
            f'{path.name} does not lie on the grid of its image.',
            'Resample the segmentation with nearest neighbours first.',
        )
    # a single segmentation belongs to whatever frame is chosen
    own = frame if volume.has_time else None
    data = volume.frame(own, f'a table of pairs: {image.name}_frame')
    whole = as_labels(data, path.name, declared=True)
    if whole is None or whole.max() > np.iinfo(np.uint8).max:
        raise InputError(
            f'{path.name} is no segmentation with labels from 0 to 255.'
        )
    coordinates = apply_affine(
        target.index_map_to(volume.grid), identity_coordinates(target.shape)
    )
    return nearest_labels(np.ascontiguousarray(whole), coordinates).astype(
        np.uint8
    )
