"""Overlap and surface distances slice by slice, along every axis.

A volume's DSC says how well two masks agree, not where. Cut into slices, the
same numbers show whether the base or the apex is to blame. The distances
remain those of the volume: each surface voxel keeps its distance to the
nearest surface voxel of the other mask, in whatever slice that lies.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.evaluation.comparison import masks_of_labels
from napari_adacs.evaluation.inputs import (
    BoolArray,
    FloatArray,
    as_both_labels,
    as_masks,
    as_spacing,
    diagonal,
)
from napari_adacs.evaluation.nearest import nearest_distances
from napari_adacs.evaluation.surface import bounding_box, surface


@dataclass(frozen=True, eq=False)
class SliceMetrics:
    """Metrics of two masks in each of the slices along one axis.

    Parameters
    ----------
    dsc : (n,) numpy.ndarray of float64
        Dice similarity coefficient of the two cross-sections; NaN where
        neither mask has a voxel.
    assd : (n,) numpy.ndarray of float64
        Mean distance, over the surface voxels of both masks in the slice,
        to the surface of the other mask in the volume; NaN where neither
        surface has a voxel. Weighted by `surface_voxels`, the mean over the
        slices is the ASSD of the volume.
    hd : (n,) numpy.ndarray of float64
        The largest of these distances; the largest of all is the HD of the
        volume.
    surface_voxels : (n,) numpy.ndarray of int64
        Surface voxels of both masks together.
    """

    dsc: FloatArray
    assd: FloatArray
    hd: FloatArray
    surface_voxels: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of slices."""
        return self.dsc.size


def slice_metrics(
    a: ArrayLike, b: ArrayLike, spacing: float | Sequence[float] = 1.0
) -> tuple[SliceMetrics, ...]:
    """Compare two masks slice by slice.

    Parameters
    ----------
    a, b : (*shape) array_like of bool
        Masks on the same grid, 2D or 3D. The slices of a 2D mask are its
        rows and columns.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.

    Returns
    -------
    tuple of SliceMetrics
        For the slices along each array axis, in this order. If exactly one
        mask is empty, all distances are the diagonal of the volume, as in
        `surface_distances`.

    Raises
    ------
    InputError
        If a mask is not binary, the shapes differ, or the spacing does not
        fit.
    """
    first, second = as_masks(a, b)
    sizes = as_spacing(spacing, first.ndim)
    box = bounding_box(first | second)
    return _in_box(first[box], second[box], box, first.shape, sizes)


def slice_metrics_of_labels(
    a: ArrayLike,
    b: ArrayLike,
    labels: Sequence[int],
    spacing: float | Sequence[float] = 1.0,
    progress: Callable[[float], object] | None = None,
) -> dict[int, tuple[SliceMetrics, ...]]:
    """Compare each of some labels slice by slice.

    Parameters
    ----------
    a, b : (*shape) array_like of int
        Segmentations on the same grid, 2D or 3D.
    labels : sequence of int
        Values to compare.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.
    progress : callable, optional
        Called with the fraction done; may raise to stop.

    Returns
    -------
    dict of int to tuple of SliceMetrics
        As from `slice_metrics`, in the order of `labels`.

    Raises
    ------
    InputError
        If the arrays are not segmentations, the shapes differ, or the
        spacing does not fit.
    """
    first, second = as_both_labels(a, b)
    sizes = as_spacing(spacing, first.ndim)
    found: dict[int, tuple[SliceMetrics, ...]] = {}
    for label, box, masks in masks_of_labels(first, second, labels):
        if progress is not None:
            progress(len(found) / len(labels))
        found[label] = _in_box(*masks, box, first.shape, sizes)
    return found


def mean_slice_metrics(labels: Sequence[SliceMetrics]) -> SliceMetrics:
    """Return the mean over labels in each slice.

    Labels without a voxel in a slice are left out there. Surface voxels are
    summed.

    Parameters
    ----------
    labels : sequence of SliceMetrics
        At least one, all along the same axis of the same volume.
    """
    return SliceMetrics(
        _mean_of_defined([x.dsc for x in labels]),
        _mean_of_defined([x.assd for x in labels]),
        _mean_of_defined([x.hd for x in labels]),
        np.sum([x.surface_voxels for x in labels], axis=0),
    )


def _in_box(
    a: BoolArray,
    b: BoolArray,
    box: tuple[slice, ...],
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
) -> tuple[SliceMetrics, ...]:
    """Compare masks that were cut to their common box."""
    overlaps = _overlaps(a, b)
    places, distances = _surface_samples(
        a, b, spacing, diagonal(shape, spacing)
    )
    return tuple(
        _in_place(overlaps[axis], places[axis], distances, box[axis], size)
        for axis, size in enumerate(shape)
    )


def _overlaps(a: BoolArray, b: BoolArray) -> list[FloatArray]:
    """Return the DSC of the cross-sections along each axis of the box."""
    both = a & b
    found = []
    for axis in range(a.ndim):
        others = tuple(d for d in range(a.ndim) if d != axis)
        total = a.sum(others) + b.sum(others)
        shared = 2.0 * both.sum(others)
        dsc = np.full(total.shape, np.nan)
        found.append(np.divide(shared, total, out=dsc, where=total > 0))
    return found


def _surface_samples(
    a: BoolArray, b: BoolArray, spacing: tuple[float, ...], worst: float
) -> tuple[NDArray[np.intp], FloatArray]:
    """Return indices (ndim, N) and distances (N,) of both surfaces."""
    if not a.size:
        return np.empty((a.ndim, 0), np.intp), np.empty(0)
    edges = surface(a), surface(b)
    places, distances = [], []
    for own, other in (edges, edges[::-1]):
        here = np.stack(np.nonzero(own))
        places.append(here)
        if not other.any():
            distances.append(np.full(here.shape[1], worst))
        elif here.size:
            distances.append(nearest_distances(other, own, spacing))
    return np.concatenate(places, axis=1), np.concatenate(distances)


def _in_place(
    dsc: FloatArray,
    places: NDArray[np.intp],
    distances: FloatArray,
    inside: slice,
    size: int,
) -> SliceMetrics:
    """Sum up the slices of the box, and put them among all slices."""
    length = dsc.size
    counts = np.bincount(places, minlength=length)
    total = np.bincount(places, distances, minlength=length)
    mean = np.full(length, np.nan)
    np.divide(total, counts, out=mean, where=counts > 0)
    largest = np.full(length, -np.inf)
    np.maximum.at(largest, places, distances)
    largest[counts == 0] = np.nan
    voxels = np.zeros(size, np.int64)
    voxels[inside] = counts
    return SliceMetrics(
        _spread(dsc, inside, size),
        _spread(mean, inside, size),
        _spread(largest, inside, size),
        voxels,
    )


def _spread(values: FloatArray, inside: slice, size: int) -> FloatArray:
    whole = np.full(size, np.nan)
    whole[inside] = values
    return whole


def _mean_of_defined(columns: Sequence[FloatArray]) -> FloatArray:
    with warnings.catch_warnings():
        # a slice that no label reaches is NaN, which is what it should be
        warnings.simplefilter('ignore', RuntimeWarning)
        mean: FloatArray = np.nanmean(columns, axis=0)
    return mean
