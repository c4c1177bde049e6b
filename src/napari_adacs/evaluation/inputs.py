"""What the metrics accept: masks, label images and voxel sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.errors import InputError

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
LabelArray = NDArray[np.integer]

_MAX_LABEL = 2**53  # beyond it floats no longer hold every integer


def as_mask(values: ArrayLike, name: str = 'mask') -> BoolArray:
    """Return a 2D or 3D binary array as booleans.

    Parameters
    ----------
    values : (*shape) array_like
        Booleans, or numbers that are all 0 or 1.
    name : str, default: 'mask'
        What to call the array in an error.

    Returns
    -------
    (*shape) numpy.ndarray of bool
        The mask; the same memory if it was boolean already.

    Raises
    ------
    InputError
        If the array is not 2D or 3D, is empty, or has values other than 0
        and 1 (NaN included).
    """
    array = _spatial(values, name)
    if array.dtype == np.bool_:
        return cast('BoolArray', array)
    ones: BoolArray = array == 1
    if not np.all(ones | (array == 0)):
        reason = 'NaN' if _has_nan(array) else 'values other than 0 and 1'
        raise InputError(
            f'The {name} must be binary, but it has {reason}.',
            'Compare one label at a time, for instance `labels == 2`, or '
            'cut probabilities with `> 0.5`.',
        )
    return ones


def as_labels(values: ArrayLike, name: str = 'labels') -> LabelArray:
    """Return a 2D or 3D segmentation as integers.

    Parameters
    ----------
    values : (*shape) array_like
        Integers, booleans, or floats without a fractional part.
    name : str, default: 'labels'
        What to call the array in an error.

    Returns
    -------
    (*shape) numpy.ndarray of int
        The labels; the same memory if they were integers already.

    Raises
    ------
    InputError
        If the array is not 2D or 3D, is empty, or has values that are not
        whole numbers (NaN included).
    """
    array = _spatial(values, name)
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if array.dtype.kind in 'iu':
        return cast('LabelArray', array)
    if not np.isfinite(array).all():
        raise InputError(
            f'The {name} have NaN or infinite values.',
            'Replace them by 0 (background) first.',
        )
    if np.abs(array).max() > _MAX_LABEL:
        raise InputError(f'The {name} have values too large for a label.')
    whole = array.astype(np.int64)
    if not np.array_equal(whole, array):
        raise InputError(
            f'The {name} must be whole numbers.',
            'Choose a segmentation, not an image or a probability map; '
            'resample segmentations with nearest neighbours.',
        )
    return whole


def as_spacing(
    spacing: float | Sequence[float] | FloatArray, ndim: int
) -> tuple[float, ...]:
    """Return one positive voxel size per array axis.

    Parameters
    ----------
    spacing : float or sequence of float
        Voxel size, the same for all axes or in array axis order.
    ndim : int
        Number of axes.

    Raises
    ------
    InputError
        If the number of sizes does not fit, or one is not positive and
        finite.
    """
    try:
        sizes = np.atleast_1d(np.asarray(spacing, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f'{spacing!r} is not a voxel spacing.') from error
    if sizes.shape == (1,):
        sizes = np.repeat(sizes, ndim)
    if sizes.shape != (ndim,):
        raise InputError(
            f'{ndim} axes need {ndim} spacings, not {sizes.size}.',
            'Give one voxel size per array axis, in array axis order.',
        )
    if not np.isfinite(sizes).all() or (sizes <= 0).any():
        raise InputError(
            f'Voxel spacing must be positive and finite, not '
            f'{tuple(sizes.tolist())}.',
            'Set the scale of the layer or repair the file header.',
        )
    return tuple(sizes.tolist())


def as_masks(a: ArrayLike, b: ArrayLike) -> tuple[BoolArray, BoolArray]:
    """Return two masks on one grid as booleans; see `as_mask`.

    Raises
    ------
    InputError
        If a mask is not binary or the shapes differ.
    """
    first, second = as_mask(a, 'first mask'), as_mask(b, 'second mask')
    require_same_shape(first, second, ('first mask', 'second mask'))
    return first, second


def as_both_labels(
    a: ArrayLike, b: ArrayLike
) -> tuple[LabelArray, LabelArray]:
    """Return two segmentations on one grid as integers; see `as_labels`.

    Raises
    ------
    InputError
        If an array is no segmentation or the shapes differ.
    """
    first, second = as_labels(a, 'first labels'), as_labels(b, 'second labels')
    require_same_shape(first, second, ('first labels', 'second labels'))
    return first, second


def require_same_shape(
    a: NDArray[np.generic], b: NDArray[np.generic], names: tuple[str, str]
) -> None:
    """Raise InputError unless both arrays have the same shape."""
    if a.shape != b.shape:
        raise InputError(
            f'The {names[0]} of shape {a.shape} cannot be compared voxel by '
            f'voxel with the {names[1]} of shape {b.shape}.',
            'Resample one of them onto the grid of the other first.',
        )


def diagonal(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Return the physical length of the diagonal of a volume."""
    return float(np.linalg.norm(np.multiply(shape, spacing)))


def _spatial(values: ArrayLike, name: str) -> NDArray[np.generic]:
    array = np.asarray(values)
    if array.ndim not in (2, 3):
        raise InputError(
            f'The {name} must have 2 or 3 axes, not {array.ndim}.',
            'Choose a single frame.',
        )
    if array.size == 0:
        raise InputError(f'The {name} have no voxels (shape {array.shape}).')
    if array.dtype.kind not in 'biuf':
        raise InputError(
            f'The {name} must be numbers, not {array.dtype}.',
        )
    return array


def _has_nan(array: NDArray[np.generic]) -> bool:
    return array.dtype.kind == 'f' and bool(np.isnan(array).any())
