"""Jacobian determinant of a displacement field (numpy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def jacobian_determinant(voxels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the determinant of ``d(x + u) / dx`` by central differences.

    Parameters
    ----------
    voxels : (ndim, *shape) numpy.ndarray of float32
        Displacement in voxels, array axis order.

    Returns
    -------
    (*shape) numpy.ndarray of float32
        Volume in the moving image per volume in the fixed image: 1 where
        volume is kept, above 1 where tissue shrinks on its way from moving
        to fixed, below 1 where it grows, and 0 or less where the field
        folds.

    Notes
    -----
    The determinant does not depend on the voxel spacing.
    """
    ndim = voxels.shape[0]
    rows = [_gradient(voxels[i], ndim) for i in range(ndim)]
    for i in range(ndim):
        rows[i][i] += 1
    if ndim == 2:
        return rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0]
    (a, b, c), (d, e, f), (g, h, k) = rows
    determinant: NDArray[np.float32] = (
        a * (e * k - f * h) - b * (d * k - f * g) + c * (d * h - e * g)
    )
    return determinant


def _gradient(
    component: NDArray[np.float32], ndim: int
) -> list[NDArray[np.float32]]:
    out = []
    for axis in range(ndim):
        if component.shape[axis] < 2:
            out.append(np.zeros_like(component))
        else:
            out.append(np.gradient(component, axis=axis))
    return out
