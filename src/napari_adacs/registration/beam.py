"""Finding the beam axis of an echo volume from its sector (no torch)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.spatial.grid import Grid

_EMPTY = 0.02  # of the intensity range; darker voxels are outside the sector
_CLEAR_SHIFT = 0.06  # of the extent; a pyramid has 0.25, a triangle 0.17


def beam_axis(image: NDArray[Any]) -> tuple[int, int] | None:
    """Find along which axis, and which way, the sector opens.

    A sector is narrow at the probe and wide in the depth, so along the beam
    its centroid lies beyond the middle; across the beam it does not.

    Parameters
    ----------
    image : (*shape) numpy.ndarray
        Echo image with an empty background.

    Returns
    -------
    (int, int) or None
        Array axis of the beam and its sense, +1 where depth grows with the
        index; None where the image has no clear sector.
    """
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    inside = values > low + _EMPTY * (high - low)
    shifts = [_centroid_shift(inside, axis) for axis in range(values.ndim)]
    axis = int(np.argmax(np.abs(shifts)))
    if abs(shifts[axis]) < _CLEAR_SHIFT:
        return None
    return axis, 1 if shifts[axis] > 0 else -1


def beam_grid(fixed: Grid, image: NDArray[Any]) -> Grid:
    """Return the grid with the beam along its second axis, downwards.

    Parameters
    ----------
    fixed : Grid
        Native grid.
    image : (*fixed.shape) numpy.ndarray
        Image on it; without a clear sector the grid stays as it is.
    """
    found = beam_axis(image)
    if found is None:
        return fixed
    axis, sense = found
    order = list(range(fixed.ndim))
    order[1], order[axis] = order[axis], order[1]
    senses = [1] * fixed.ndim
    senses[1] = sense
    return fixed.reordered(order, senses)


def _centroid_shift(inside: NDArray[np.bool_], axis: int) -> float:
    """Return how far the centroid is from the middle of the extent."""
    others = tuple(a for a in range(inside.ndim) if a != axis)
    area = inside.sum(axis=others).astype(float)
    filled = np.flatnonzero(area)
    if filled.size < 2:
        return 0.0
    index = np.arange(area.size)
    centroid = float((area * index).sum() / area.sum())
    middle = (filled[0] + filled[-1]) / 2
    return float((centroid - middle) / (filled[-1] - filled[0]))
