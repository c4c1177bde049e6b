"""Lines of equal value in a slice, between voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.app.review.planes import Plane


def isolines(values: NDArray[Any], level: float) -> NDArray[np.float32]:
    """Return where a plane of values crosses a level.

    Parameters
    ----------
    values : (rows, columns) numpy.ndarray
        The plane.
    level : float
        The level.

    Returns
    -------
    (N, 2, 2) numpy.ndarray of float32
        Start and direction of each piece of line, in voxels of the plane.
    """
    from skimage.measure import find_contours

    if min(values.shape) < 2:
        return np.zeros((0, 2, 2), np.float32)
    lines: list[NDArray[np.float64]] = list(find_contours(values, level))  # type: ignore[no-untyped-call, unused-ignore]
    pieces = [
        np.stack([line[:-1], np.diff(line, axis=0)], axis=1) for line in lines
    ]
    if not pieces:
        return np.zeros((0, 2, 2), np.float32)
    return np.concatenate(pieces).astype(np.float32)


def in_plane(pieces: NDArray[Any], plane: Plane) -> NDArray[np.float32]:
    """Return pieces (N, 2, 2) of a plane as vectors (N, 2, ndim) of napari."""
    start = plane.place(pieces[:, 0])
    way = np.zeros_like(start)
    way[:, list(plane.kept)] = pieces[:, 1]
    return np.stack([start, way], axis=1)
