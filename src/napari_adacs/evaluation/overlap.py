"""Overlap and volume of binary masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from napari_adacs.evaluation.inputs import (
    as_mask,
    as_masks,
    as_spacing,
)


def dice(a: ArrayLike, b: ArrayLike) -> float:
    """Return the Dice similarity coefficient of two binary masks.

    ``2 |A and B| / (|A| + |B|)``; 1 if both masks are empty, 0 if one is.

    Parameters
    ----------
    a, b : (*shape) array_like of bool
        Masks on the same grid.

    Returns
    -------
    float
        From 0 (disjoint) to 1 (identical).

    Raises
    ------
    InputError
        If a mask is not binary or the shapes differ.
    """
    return dice_from_counts(*_counts(a, b))


def jaccard(a: ArrayLike, b: ArrayLike) -> float:
    """Return the Jaccard index of two binary masks.

    ``|A and B| / |A or B|``; 1 if both masks are empty, 0 if one is.

    Parameters
    ----------
    a, b : (*shape) array_like of bool
        Masks on the same grid.

    Returns
    -------
    float
        From 0 (disjoint) to 1 (identical).

    Raises
    ------
    InputError
        If a mask is not binary or the shapes differ.
    """
    return jaccard_from_counts(*_counts(a, b))


def volume(mask: ArrayLike, spacing: float | Sequence[float] = 1.0) -> float:
    """Return the volume of a binary mask (its area in 2D).

    Parameters
    ----------
    mask : (*shape) array_like of bool
        The mask.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.

    Returns
    -------
    float
        Number of voxels times the size of one: mm³ (mm² in 2D) if the
        spacing is in mm.

    Raises
    ------
    InputError
        If the mask is not binary or the spacing does not fit.
    """
    array = as_mask(mask)
    size = float(np.prod(as_spacing(spacing, array.ndim)))
    return int(np.count_nonzero(array)) * size


def volume_difference(
    a: ArrayLike,
    b: ArrayLike,
    spacing: float | Sequence[float] = 1.0,
    *,
    relative: bool = False,
) -> float:
    """Return by how much the volume of `b` exceeds that of `a`.

    Parameters
    ----------
    a : (*shape) array_like of bool
        The reference.
    b : (*shape) array_like of bool
        The mask to judge; it may lie on another grid of the same spacing.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.
    relative : bool, default: False
        Whether to return the difference as a fraction of the volume of
        `a`; NaN if that is zero.

    Returns
    -------
    float
        ``volume(b) - volume(a)``, negative where `b` is too small.

    Raises
    ------
    InputError
        If a mask is not binary or the spacing does not fit.
    """
    reference = volume(a, spacing)
    difference = volume(b, spacing) - reference
    if not relative:
        return difference
    return difference / reference if reference else float('nan')


def dice_from_counts(n_a: int, n_b: int, n_both: int) -> float:
    """Return the Dice coefficient from the numbers of voxels."""
    total = n_a + n_b
    return 2 * n_both / total if total else 1.0


def jaccard_from_counts(n_a: int, n_b: int, n_both: int) -> float:
    """Return the Jaccard index from the numbers of voxels."""
    union = n_a + n_b - n_both
    return n_both / union if union else 1.0


def _counts(a: ArrayLike, b: ArrayLike) -> tuple[int, int, int]:
    first, second = as_masks(a, b)
    return (
        int(np.count_nonzero(first)),
        int(np.count_nonzero(second)),
        int(np.count_nonzero(first & second)),
    )
