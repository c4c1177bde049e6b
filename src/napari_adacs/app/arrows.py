"""Arrows of a displacement field, few enough to see and to draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Enough to follow the motion; more hides the image and slows 3D views.
_MOST_ARROWS = 30_000
_FEWEST_PER_AXIS, _MOST_PER_AXIS = 12, 28
# Shorter ones would be dots.
_SHORTEST_VOXELS, _SHORTEST_SHARE = 0.05, 0.03
# The plane's counterpart of the golden ratio (Roberts' R2 sequence): its
# multiples modulo 1 fill the unit square evenly.
_EVENLY = 0.7548776662, 0.5698402910


def arrows(
    voxels: NDArray[np.float32], magnitude: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sample a displacement for a Vectors layer.

    Every slice has arrows, whichever way a volume is cut: they form a
    regular pattern that shifts from slice to slice. Very short ones are left
    out.

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
    start = _lattice(magnitude.shape)
    where = tuple(start.T)
    vector = voxels[(slice(None), *where)].T
    data = np.stack([start.astype(np.float32), vector], axis=1)
    in_voxels = np.linalg.norm(vector, axis=1)
    shortest = max(_SHORTEST_VOXELS, _SHORTEST_SHARE * in_voxels.max())
    kept = in_voxels >= shortest
    # napari cannot colour a layer of no vectors by a feature.
    kept[in_voxels.argmax()] = True
    return data[kept], magnitude[where][kept]


def _lattice(shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Return the (N, ndim) indices where arrows start."""
    slices = 1 if len(shape) == 2 else shape[0]
    wanted = int((_MOST_ARROWS / slices) ** 0.5)
    count = min(max(wanted, _FEWEST_PER_AXIS), _MOST_PER_AXIS)
    steps = [max(1, -(-n // count)) for n in shape[-2:]]
    planes = []
    for index in range(slices):
        axes = [
            np.arange(int((0.5 + index * share) % 1 * step), n, step)
            for n, step, share in zip(shape[-2:], steps, _EVENLY, strict=True)
        ]
        plane = np.stack(np.meshgrid(*axes, indexing='ij'), -1).reshape(-1, 2)
        depth = np.full((len(plane), len(shape) - 2), index)
        planes.append(np.hstack([depth, plane]))
    return np.concatenate(planes)
