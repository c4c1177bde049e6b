"""Overlap and distances the way the authors' script computes them.

Their tables can only be compared with numbers made by the same rules: every
value above zero of a linearly warped mask is inside, distances are in voxels
whatever the spacing, and a pair with an empty mask is left out of all means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.evaluation.comparison import Comparison, compare_masks
from napari_adacs.evaluation.frame import Frame
from napari_adacs.evaluation.inputs import BoolArray, LabelArray
from napari_adacs.evaluation.surface import SurfaceDistances

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField

_NAN = float('nan')

NOTE = (
    "Computed by the rules of the authors' script: warped masks where any "
    'value is above 0, distances in voxels, directed ASD, and pairs with an '
    'empty mask left out of the means.'
)


def in_voxels(frame: Frame) -> Frame:
    """Return the frame with the size of every voxel ignored."""
    ones = (1.0,) * len(frame.spacing)
    return replace(frame, spacing=ones, moving_spacing=ones, units='voxel')


def compare_any_positive(
    fixed: LabelArray,
    moving: LabelArray,
    field: DisplacementField | None,
    labels: Sequence[int],
) -> dict[int, Comparison]:
    """Compare each label with its linearly warped mask, cut above 0.

    Masks of neighbouring labels overlap by up to a voxel, so they are not
    one segmentation.

    Parameters
    ----------
    fixed : (*shape) numpy.ndarray of int
        The reference.
    moving : (*moving_shape) numpy.ndarray of int
        Labels to warp.
    field : DisplacementField or None
        The displacement; None yields nothing.
    labels : sequence of int
        Values to compare.

    Returns
    -------
    dict of int to Comparison
        In voxels. All values are NaN where a mask is empty, which
        `Comparison.surface.empty` names.
    """
    if field is None:
        return {}
    corners = list(_corners(moving, _moving_coordinates(field)))
    out = {}
    for label in labels:
        touched = corners[0] == label
        for corner in corners[1:]:
            touched |= corner == label
        out[label] = without_empty(fixed == label, touched)
    return out


def without_empty(first: BoolArray, second: BoolArray) -> Comparison:
    """Compare two masks in voxels; NaN throughout if one is empty."""
    found = compare_masks(first, second)
    if not found.surface.flagged:
        return found
    return replace(
        found,
        dsc=_NAN,
        jaccard=_NAN,
        surface=SurfaceDistances.constant(_NAN, found.surface.empty),
    )


def _moving_coordinates(field: DisplacementField) -> NDArray[np.float32]:
    """Return (ndim, *shape) places in the moving array, in voxels."""
    grid = field.grid
    places = np.indices(grid.shape, dtype=np.float32) + field.voxels
    if field.moving_grid is None:
        return places
    matrix = grid.index_map_to(field.moving_grid)
    offset = matrix[:-1, -1].reshape(-1, *[1] * grid.ndim)
    mapped = np.tensordot(matrix[:-1, :-1], places, 1) + offset
    return mapped.astype(np.float32)


def _corners(
    moving: LabelArray, places: NDArray[np.float32]
) -> Iterator[LabelArray]:
    """Yield the labels that have a share in each place, corner by corner.

    A linearly warped mask is above 0 exactly where one of the voxels around
    the place is inside it and has a weight above 0. So all labels are warped
    at once, and no rounding leaves a residue where nothing moves.
    """
    low = np.floor(places)
    between = places > low
    base = low.astype(np.int64)
    for step in product((0, 1), repeat=moving.ndim):
        counts = np.ones(places.shape[1:], bool)
        index = []
        for axis, (forward, size) in enumerate(
            zip(step, moving.shape, strict=True)
        ):
            place = base[axis] + forward
            counts &= (place >= 0) & (place < size)
            if forward:
                counts &= between[axis]
            index.append(np.clip(place, 0, size - 1))
        labels = moving[tuple(index)]
        labels[~counts] = 0
        yield labels


def require_field(warped_labels: object, field: object) -> None:
    """Raise InputError if only a finished segmentation is given."""
    if warped_labels is not None and field is None:
        raise InputError(
            'Labels that are warped already were cut already.',
            "Give the displacement field for preset='code'.",
        )
