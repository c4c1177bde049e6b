"""Arrows of a displacement field, few enough to see and to draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Enough to follow the motion; more hides the image and slows 3D views.
_MOST_ARROWS = 30_000
_FEWEST_PER_AXIS, _MOST_PER_AXIS = 12, 28
# Shorter ones would be dots.
_SHORTEST_VOXELS, _SHORTEST_SHARE = 0.05, 0.03


def arrows(
    voxels: NDArray[np.float32], magnitude: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sample a displacement for a Vectors layer.

    Every slice gets its arrows; within a slice they are some voxels apart.
    Very short ones are left out.

    Parameters
    ----------
    voxels : (ndim, *shape) numpy.ndarray of float32
        Displacement in voxels.
    magnitude : (*shape) numpy.ndarray of float32
        Its length in mm.

    Returns
    -------
    data : (N, 2, ndim) numpy.ndarray of float32
        Start and projection in voxels; at least one arrow.
    lengths : (N,) numpy.ndarray of float32
        Magnitude at each start.
    """
    shape = magnitude.shape
    steps = _steps(shape)
    where = tuple(
        slice((n - 1) % step // 2, None, step)
        for n, step in zip(shape, steps, strict=True)
    )
    axes = [np.arange(n)[s] for n, s in zip(shape, where, strict=True)]
    start = np.stack(np.meshgrid(*axes, indexing='ij'), -1)
    vector = np.moveaxis(voxels[(slice(None), *where)], 0, -1)
    data = np.stack([start.astype(np.float32), vector], axis=-2)
    data = data.reshape(-1, 2, len(shape))
    lengths = magnitude[where].reshape(-1)
    in_voxels = np.linalg.norm(data[:, 1], axis=1)
    shortest = max(_SHORTEST_VOXELS, _SHORTEST_SHARE * in_voxels.max())
    kept = in_voxels >= shortest
    # napari cannot colour a layer of no vectors by a feature.
    kept[in_voxels.argmax()] = True
    return data[kept], lengths[kept]


def _steps(shape: tuple[int, ...]) -> list[int]:
    """Return the distance of arrows along each axis, in voxels."""
    slices = 1 if len(shape) == 2 else shape[0]
    wanted = int((_MOST_ARROWS / slices) ** 0.5)
    count = min(max(wanted, _FEWEST_PER_AXIS), _MOST_PER_AXIS)
    step = [max(1, -(-n // count)) for n in shape[-2:]]
    return step if len(shape) == 2 else [1, *step]
