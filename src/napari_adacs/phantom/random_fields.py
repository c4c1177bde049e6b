"""Smooth random fields on a voxel grid, and diffeomorphisms from them.

Everything linear along an axis is a small matrix per axis, as in
`spatial.smoothing`, which needs torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Array = NDArray[np.float32]

_SQUARINGS = 5
_COARSER = 2  # voxels per node of a velocity
_FEWEST_NODES = 8


def smooth_noise(
    rng: np.random.Generator,
    channels: int,
    shape: Sequence[int],
    cells: Sequence[float],
) -> Array:
    """Draw smooth noise: a cubic B-spline with normal coefficients.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    channels : int
        Independent fields.
    shape : sequence of int
        Voxels per axis.
    cells : sequence of float
        Distances of spline knots that fit along each axis; at least 1.

    Returns
    -------
    (channels, *shape) numpy.ndarray of float32
        Fields of mean 0 and unit variance.
    """
    counts = [max(1, round(c)) for c in cells]
    values = rng.standard_normal(
        (channels, *(c + 3 for c in counts)), dtype=np.float32
    )
    return along_axes(
        values,
        [_spline(c, n) for c, n in zip(counts, shape, strict=True)],
    )


def diffeomorphism(velocity: Array, shape: Sequence[int]) -> Array:
    """Integrate a stationary velocity by scaling and squaring.

    Parameters
    ----------
    velocity : (ndim, *nodes) numpy.ndarray of float32
        In nodes per unit time, of the grid that `velocity_nodes` gives.
    shape : sequence of int
        Voxels per axis.

    Returns
    -------
    (ndim, *shape) numpy.ndarray of float32
        Displacement in voxels.

    References
    ----------
    Arsigny et al., MICCAI 2006.
    """
    nodes = velocity.shape[1:]
    place = coordinates(nodes)
    field: Array = velocity / np.float32(2**_SQUARINGS)
    for _ in range(_SQUARINGS):
        field = field + sample(field, place + field)
    factors = np.array(
        [n / m for n, m in zip(shape, nodes, strict=True)], np.float32
    )
    fine = along_axes(
        field, [_linear(m, n) for m, n in zip(nodes, shape, strict=True)]
    )
    return fine * factors.reshape(-1, *([1] * len(nodes)))


def velocity_nodes(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the coarser grid on which velocities are integrated."""
    return tuple(max(min(n, _FEWEST_NODES), n // _COARSER) for n in shape)


def coordinates(shape: Sequence[int]) -> Array:
    """Return voxel coordinates (ndim, *shape)."""
    axes = [np.arange(n, dtype=np.float32) for n in shape]
    return np.stack(np.meshgrid(*axes, indexing='ij'))


def relative_coordinates(shape: Sequence[int]) -> Array:
    """Return coordinates (ndim, *shape), from -1 to 1 between the edges."""
    axes = [
        (2 * np.arange(n, dtype=np.float32) + 1) / np.float32(n) - 1
        for n in shape
    ]
    return np.stack(np.meshgrid(*axes, indexing='ij')).astype(np.float32)


def sample(values: Array, places: Array) -> Array:
    """Read (C, *shape) linearly at places (ndim, *out), in voxels."""
    return np.stack(
        [
            map_coordinates(
                component, places, order=1, mode='nearest', output=np.float32
            )
            for component in values
        ]
    )


def along_axes(values: Array, matrices: Sequence[Array]) -> Array:
    """Multiply each axis of (C, *shape) by a (new, old) matrix."""
    for axis, matrix in reversed(list(enumerate(matrices, start=1))):
        lead, old = values.shape[:axis], values.shape[axis]
        rest = values.shape[axis + 1 :]
        product = matrix @ values.reshape(*lead, old, -1)
        values = product.reshape(*lead, len(matrix), *rest)
    return values


@lru_cache(maxsize=64)
def _spline(cells: int, size: int) -> Array:
    """Return the (size, cells + 3) matrix of a cubic B-spline.

    Rows are scaled so that coefficients of unit variance give unit variance.
    """
    place = (np.arange(size) + 0.5) / size * cells
    first = np.minimum(place.astype(int), cells - 1)
    t = place - first
    weights = np.stack(
        [
            (1 - t) ** 3,
            3 * t**3 - 6 * t**2 + 4,
            -3 * t**3 + 3 * t**2 + 3 * t + 1,
            t**3,
        ],
        axis=1,
    )
    weights /= np.sqrt((weights**2).sum(1, keepdims=True))
    matrix = np.zeros((size, cells + 3), np.float32)
    for k in range(4):
        matrix[np.arange(size), first + k] = weights[:, k]
    return matrix


@lru_cache(maxsize=64)
def _linear(size: int, new_size: int) -> Array:
    """Return the (new_size, size) matrix of linear interpolation."""
    place = (np.arange(new_size) + 0.5) * size / new_size - 0.5
    place = place.clip(0, size - 1)
    below = place.astype(int).clip(max=max(size - 2, 0))
    part = (place - below).astype(np.float32)
    matrix = np.zeros((new_size, size), np.float32)
    rows = np.arange(new_size)
    matrix[rows, below] += 1 - part
    matrix[rows, np.minimum(below + 1, size - 1)] += part
    return matrix
