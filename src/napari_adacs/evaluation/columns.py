"""Maps as columns of numbers: what uncertainty metrics work on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.errors import InputError
from napari_adacs.evaluation.inputs import BoolArray, FloatArray


def columns(
    first: ArrayLike, second: ArrayLike, mask: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Return the chosen voxels of two maps, in the same order.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or no voxel is chosen.
    """
    a, b = _numbers(first), _numbers(second)
    if a.shape != b.shape:
        raise InputError(
            f'Maps of shapes {a.shape} and {b.shape} cannot be compared.',
            'Bring both to the same grid first.',
        )
    chosen = _chosen(mask, a.shape)
    a, b = a[chosen].ravel(), b[chosen].ravel()
    if not a.size:
        raise InputError('There is no voxel to look at.', 'Check the mask.')
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError(
            'The maps have NaN or infinite values.',
            'Leave these voxels out with a mask.',
        )
    return a, b


def _numbers(values: ArrayLike) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind not in 'biuf':
        raise InputError(f'A map must be numbers, not {array.dtype}.')
    return array.astype(np.float64)


def _chosen(mask: ArrayLike | None, shape: tuple[int, ...]) -> BoolArray:
    if mask is None:
        return np.ones(shape, bool)
    array = np.asarray(mask)
    if array.shape != shape:
        raise InputError(
            f'The mask of shape {array.shape} does not fit maps of shape '
            f'{shape}.'
        )
    return array.astype(bool)


def average_ranks(values: FloatArray) -> FloatArray:
    """Return ranks from 1, the mean rank for equal values."""
    order = np.argsort(values)
    starts, counts = ties(values[order])
    ranks = np.empty(values.size)
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    return ranks


def ties(
    ordered: FloatArray,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return start and length of each run of equal values."""
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return starts, np.diff(np.append(starts, ordered.size))
