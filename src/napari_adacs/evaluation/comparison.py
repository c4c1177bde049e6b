"""Every metric of one pair of masks, or of each label of two volumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import find_objects

from napari_adacs.evaluation.inputs import (
    BoolArray,
    LabelArray,
    as_both_labels,
    as_masks,
    as_spacing,
    diagonal,
)
from napari_adacs.evaluation.overlap import (
    dice_from_counts,
    jaccard_from_counts,
)
from napari_adacs.evaluation.surface import (
    SurfaceDistances,
    bounding_box,
    distances_in_box,
)

# Labels up to here are used as they are; larger or negative ones are
# numbered first, so that the list of their boxes stays short.
_LARGEST_DIRECT = 2**16

Box = tuple[slice, ...]


@dataclass(frozen=True)
class Comparison:
    """What two masks `a` (the reference) and `b` have in common.

    Parameters
    ----------
    dsc : float
        Dice similarity coefficient.
    jaccard : float
        Jaccard index.
    volume_a, volume_b : float
        Volume (area in 2D) in the unit of the spacing, cubed (squared).
    surface : SurfaceDistances
        Surface distances in the unit of the spacing.
    """

    dsc: float
    jaccard: float
    volume_a: float
    volume_b: float
    surface: SurfaceDistances


def compare_masks(
    a: ArrayLike, b: ArrayLike, spacing: float | Sequence[float] = 1.0
) -> Comparison:
    """Compute all overlap and distance metrics of one pair of masks.

    Parameters
    ----------
    a, b : (*shape) array_like of bool
        Reference and prediction on the same grid, 2D or 3D.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.

    Raises
    ------
    InputError
        If a mask is not binary, the shapes differ, or the spacing does not
        fit.
    """
    first, second = as_masks(a, b)
    sizes = as_spacing(spacing, first.ndim)
    box = bounding_box(first | second)
    worst = diagonal(first.shape, sizes)
    return _compare(first[box], second[box], sizes, worst)


def compare_labels(
    a: ArrayLike,
    b: ArrayLike,
    labels: Sequence[int],
    spacing: float | Sequence[float] = 1.0,
) -> dict[int, Comparison]:
    """Compute all metrics of each of some labels of two segmentations.

    The volumes are searched once; each label is then worked on in the box
    that holds it in both.

    Parameters
    ----------
    a, b : (*shape) array_like of int
        Reference and prediction on the same grid, 2D or 3D.
    labels : sequence of int
        Values to compare. One that occurs nowhere is compared as two empty
        masks.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.

    Returns
    -------
    dict of int to Comparison
        In the order of `labels`.

    Raises
    ------
    InputError
        If the arrays are not segmentations, the shapes differ, or the
        spacing does not fit.
    """
    first, second = as_both_labels(a, b)
    sizes = as_spacing(spacing, first.ndim)
    worst = diagonal(first.shape, sizes)
    return {
        label: _compare(*masks, sizes, worst)
        for label, _, masks in masks_of_labels(first, second, labels)
    }


def masks_of_labels(
    first: LabelArray, second: LabelArray, labels: Sequence[int]
) -> Iterator[tuple[int, Box, tuple[BoolArray, BoolArray]]]:
    """Go through the labels of two segmentations, each in its own box.

    Parameters
    ----------
    first, second : (*shape) numpy.ndarray of int
        Segmentations on the same grid.
    labels : sequence of int
        Values to look for.

    Yields
    ------
    label : int
        In the order of `labels`.
    box : tuple of slice
        The smallest box that holds it in both; empty if neither has it.
    masks : pair of (*box) numpy.ndarray of bool
        Where it is in either, in the box.
    """
    first, second, codes = _numbered(first, second, labels)
    last = max(codes.values(), default=0)
    boxes_a = find_objects(first, last) if last else []
    boxes_b = find_objects(second, last) if last else []
    for label, code in codes.items():
        box = _union(boxes_a[code - 1], boxes_b[code - 1], first.ndim)
        yield label, box, (first[box] == code, second[box] == code)


def label_counts(labels: LabelArray) -> dict[int, int]:
    """Return the number of voxels of each value, in ascending order."""
    values: NDArray[np.integer]
    if labels.min() >= 0 and labels.max() < _LARGEST_DIRECT:
        counts = np.bincount(labels.ravel())
        values = np.flatnonzero(counts)
        counts = counts[values]
    else:
        values, counts = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _compare(
    a: BoolArray, b: BoolArray, spacing: tuple[float, ...], worst: float
) -> Comparison:
    counts = (
        int(np.count_nonzero(a)),
        int(np.count_nonzero(b)),
        int(np.count_nonzero(a & b)),
    )
    size = float(np.prod(spacing))
    return Comparison(
        dsc=dice_from_counts(*counts),
        jaccard=jaccard_from_counts(*counts),
        volume_a=counts[0] * size,
        volume_b=counts[1] * size,
        surface=distances_in_box(a, b, spacing, worst),
    )


def _numbered(
    first: LabelArray, second: LabelArray, labels: Sequence[int]
) -> tuple[LabelArray, LabelArray, dict[int, int]]:
    """Return label images with small positive codes, and code per label."""
    lowest = min(first.min(), second.min(), *labels, 1)
    highest = max(first.max(), second.max(), *labels, 1)
    if lowest >= 0 and highest < _LARGEST_DIRECT and 0 not in labels:
        return first, second, {label: label for label in labels}
    wanted = np.unique(np.asarray(labels, dtype=np.int64))
    codes = {label: i + 1 for i, label in enumerate(wanted.tolist())}
    return (
        _code(first, wanted),
        _code(second, wanted),
        {label: codes[label] for label in labels},
    )


def _code(labels: LabelArray, wanted: NDArray[np.int64]) -> LabelArray:
    place = np.searchsorted(wanted, labels)
    place = np.minimum(place, len(wanted) - 1)
    coded: LabelArray = np.where(wanted[place] == labels, place + 1, 0).astype(
        np.int32
    )
    return coded


def _union(first: Box | None, second: Box | None, ndim: int) -> Box:
    if first is None or second is None:
        return first or second or (slice(0, 0),) * ndim
    return tuple(
        slice(min(p.start, q.start), max(p.stop, q.stop))
        for p, q in zip(first, second, strict=True)
    )
