"""Distances between the surfaces of two masks: HD, HD95, ASD, ASSD.

The surface of a mask are its voxels with a face neighbour outside the mask;
the border of the image counts as outside. Distances go from voxel centre to
voxel centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from napari_adacs.evaluation.inputs import (
    BoolArray,
    FloatArray,
    as_masks,
    as_spacing,
    diagonal,
)
from napari_adacs.evaluation.nearest import nearest_distances

Empty = Literal['none', 'a', 'b', 'both']


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between the surfaces of two masks `a` and `b`.

    All in the unit of the spacing. If exactly one mask is empty they are all
    the diagonal of the volume, the worst that could be; if both are, NaN.
    Either way `empty` says so, and whoever averages must count it.

    Parameters
    ----------
    hd : float
        Hausdorff distance: the largest distance of any surface voxel of one
        mask to the surface of the other.
    hd95 : float
        The larger one of the two directed 95th percentiles.
    asd : float
        Average surface distance, directed: mean distance of the surface
        voxels of `a` to the surface of `b`. As AdaCS and the
        heteroscedastic paper report it when `a` is the true segmentation.
    asd_reverse : float
        The same from `b` to `a`.
    assd : float
        Average symmetric surface distance: mean over the surface voxels of
        both masks together.
    hd95_pooled : float
        95th percentile of all distances of both directions together, which
        some tools call HD95.
    empty : {'none', 'a', 'b', 'both'}, default: 'none'
        Which of the masks had no voxels.
    """

    hd: float
    hd95: float
    asd: float
    asd_reverse: float
    assd: float
    hd95_pooled: float
    empty: Empty = 'none'

    @classmethod
    def constant(cls, value: float, empty: Empty) -> SurfaceDistances:
        """Return distances that are all the same, for empty masks."""
        return cls(value, value, value, value, value, value, empty)

    @property
    def flagged(self) -> bool:
        """Whether a mask was empty, so that no distance was measured."""
        return self.empty != 'none'


def surface_distances(
    a: ArrayLike, b: ArrayLike, spacing: float | Sequence[float] = 1.0
) -> SurfaceDistances:
    """Measure the distances between the surfaces of two masks.

    Parameters
    ----------
    a : (*shape) array_like of bool
        First mask, 2D or 3D; by convention the reference (the fixed or true
        segmentation), because `asd` goes from it.
    b : (*shape) array_like of bool
        Second mask, on the same grid; by convention the prediction.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order, for instance in mm.

    Returns
    -------
    SurfaceDistances
        All of them from one computation.

    Raises
    ------
    InputError
        If a mask is not binary (NaN included) or not 2D or 3D, the shapes
        differ, or the spacing is not positive and finite.

    Notes
    -----
    Definitions as in Maier-Hein and Reinke et al., "Metrics reloaded",
    Nat. Methods 21, 2024; tools differ in all of them, see docs/metrics.md.
    """
    first, second = as_masks(a, b)
    sizes = as_spacing(spacing, first.ndim)
    box = bounding_box(first | second)
    return distances_in_box(
        first[box], second[box], sizes, diagonal(first.shape, sizes)
    )


def distances_in_box(
    a: BoolArray,
    b: BoolArray,
    spacing: tuple[float, ...],
    worst: float,
) -> SurfaceDistances:
    """Measure two masks that were cropped to their common bounding box.

    Parameters
    ----------
    a, b : (*box) numpy.ndarray of bool
        The masks. Nothing of either lies outside the box.
    spacing : tuple of float
        Voxel size per axis.
    worst : float
        The distance if one mask is empty.
    """
    if not a.any():
        if not b.any():
            return SurfaceDistances.constant(float('nan'), 'both')
        return SurfaceDistances.constant(worst, 'a')
    if not b.any():
        return SurfaceDistances.constant(worst, 'b')
    if a.strides[0] < a.strides[-1]:
        # Fortran order, as NIfTI files are read; planes should be compact.
        a, b, spacing = a.T, b.T, spacing[::-1]
    surface_a, surface_b = surface(a), surface(b)
    return _summarise(
        nearest_distances(surface_b, surface_a, spacing),
        nearest_distances(surface_a, surface_b, spacing),
    )


def surface(mask: BoolArray) -> BoolArray:
    """Return the voxels of a mask with a face neighbour outside of it.

    Parameters
    ----------
    mask : (*shape) numpy.ndarray of bool
        The mask; beyond its array there is only outside.
    """
    inside = mask.copy()
    for axis in range(mask.ndim):
        along, source = (
            np.moveaxis(inside, axis, 0),
            np.moveaxis(mask, axis, 0),
        )
        along[1:] &= source[:-1]
        along[:-1] &= source[1:]
        along[0] = along[-1] = False
    return mask & ~inside


def bounding_box(mask: BoolArray) -> tuple[slice, ...]:
    """Return the smallest box that holds a mask; empty slices for none."""
    if not mask.any():
        return (slice(0, 0),) * mask.ndim
    if not mask.flags.c_contiguous and mask.T.flags.c_contiguous:
        return bounding_box(mask.T)[::-1]
    box: tuple[slice, ...] = ()
    # Crop as we go: each axis is searched in what the one before it left.
    while mask.ndim > 1:
        hit = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1))
        box = (*box, slice(int(hit[0]), int(hit[-1]) + 1))
        mask = np.any(mask[box[-1]], axis=0)
    hit = np.flatnonzero(mask)
    return (*box, slice(int(hit[0]), int(hit[-1]) + 1))


def _summarise(a_to_b: FloatArray, b_to_a: FloatArray) -> SurfaceDistances:
    both = np.concatenate([a_to_b, b_to_a])
    return SurfaceDistances(
        hd=float(both.max()),
        hd95=float(max(np.percentile(a_to_b, 95), np.percentile(b_to_a, 95))),
        asd=float(a_to_b.mean()),
        asd_reverse=float(b_to_a.mean()),
        assd=float(both.mean()),
        hd95_pooled=float(np.percentile(both, 95)),
    )
