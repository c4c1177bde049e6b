"""Between our grids and the images of ITK and its relatives.

An ITK image indexed (i, j[, k]) in our array axis order has our spacing,
origin and direction as they are, because both worlds are LPS. No axis is
exchanged anywhere; only numpy views of ITK buffers run backwards.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.benchmark.case import Case
from napari_adacs.benchmark.method import Outcome
from napari_adacs.errors import InputError
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.training.pairs import normalise

FloatArray = NDArray[np.float32]


def check_axes(case: Case) -> None:
    """Raise InputError for sheared grids, which ITK images cannot have."""
    for image in (case.moving, case.fixed):
        if image.grid.is_sheared:
            raise InputError(
                f'The axes of the {image.name} image are not at right '
                'angles, which ITK cannot represent.',
                'Resample it first.',
            )


def intensities(image: ImageOnGrid) -> FloatArray:
    """Return the image scaled to [0, 1], as the networks see it."""
    return np.ascontiguousarray(normalise(image.data))


def outcome(case: Case, world: ArrayLike) -> Outcome:
    """Turn displacement vectors in the world into an outcome.

    Parameters
    ----------
    case : Case
        The case.
    world : (*fixed.shape, ndim) array_like of float
        LPS vectors from fixed to moving positions, in mm.
    """
    from napari_adacs.spatial.field import DisplacementField

    grid = case.fixed.grid
    vectors = np.moveaxis(np.asarray(world, np.float64), -1, 0)
    to_voxels = np.linalg.inv(grid.affine[:-1, :-1])
    voxels = np.tensordot(to_voxels, vectors, 1).astype(np.float32)
    same = case.moving.grid.same_space(grid)
    moving_grid = None if same else case.moving.grid
    return Outcome(DisplacementField(voxels, grid, moving_grid))


def from_buffer(array: NDArray[np.floating], ndim: int) -> FloatArray:
    """Return the view (z, y, x, component) of a vector image as (x, y, z).

    Parameters
    ----------
    array : (*reversed shape, ndim) numpy.ndarray
        As SimpleITK and ITK hand it out.
    ndim : int
        Number of axes.
    """
    axes: Sequence[int] = (*range(ndim - 1, -1, -1), ndim)
    return np.transpose(array, axes).astype(np.float32)
