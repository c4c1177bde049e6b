"""Distance from some voxels to the nearest voxel of a set, exactly.

A k-d tree pays per query and a distance transform per voxel of the box. The
surfaces that registration compares are close to each other, and for these a
third way is faster than both: the separable transform cut to a band, which
is exact for every distance below the width of the band [1]_. What it leaves
open is asked of a tree or of the full transform, whichever is cheaper.

References
----------
.. [1] Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012: the
   squared distance is a minimum over one axis after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from napari_adacs.evaluation.inputs import BoolArray, FloatArray

# Half width of the band in voxels of mean size. Twice as wide costs half as
# much again; most distances after registration are below four voxels.
_HALF_WIDTH = 8

# Nanoseconds per unit of work, measured with benchmarks/bench_metrics.py.
# Only their ratios matter, and only for speed: every way gives the same.
_NS_BAND_VOXEL = 4.0
_NS_BAND_STEP = 0.8
_NS_BAND_QUERY = 4.0
_NS_TREE_BUILD = 120.0
_NS_TREE_QUERY = 900.0
_NS_TRANSFORM = 65.0

_PLANES = 16  # planes of the box worked on at once, to stay in the cache


def nearest_distances(
    target: BoolArray, query: BoolArray, spacing: Sequence[float]
) -> FloatArray:
    """Return the distance of each query voxel to the nearest target voxel.

    Parameters
    ----------
    target : (*shape) numpy.ndarray of bool
        Voxels to look for, at least one; 2D or 3D.
    query : (*shape) numpy.ndarray of bool
        Voxels to start from.
    spacing : sequence of float
        Voxel size per array axis.

    Returns
    -------
    (n_query,) numpy.ndarray of float64
        Euclidean distances between voxel centres, in the unit of `spacing`
        and in C order of the query voxels.
    """
    band = _Band.around(target.shape, spacing)
    n_query = int(np.count_nonzero(query))
    n_target = int(np.count_nonzero(target))
    if band.cost(target.size, n_query) > _tree_cost(n_target, n_query):
        index = np.flatnonzero(query)
        return _by_tree(target, index, spacing)
    squared, index = band.squared_distances(target, query)
    far = squared > band.reach**2
    distances: FloatArray = np.sqrt(squared)
    if far.any():
        distances[far] = _far_distances(target, index[far], spacing)
    return distances


@dataclass(frozen=True)
class _Band:
    """The separable distance transform within some voxels of each axis.

    The first axis is scanned in full, the others are searched up to
    `half_widths` voxels away. Distances up to `reach` are exact.
    """

    half_widths: tuple[int, ...]
    reach: float
    spacing: tuple[float, ...]

    @classmethod
    def around(cls, shape: tuple[int, ...], spacing: Sequence[float]) -> _Band:
        width = _HALF_WIDTH * float(np.exp(np.mean(np.log(spacing))))
        half_widths, reach = [], np.inf
        for size, step in zip(shape[1:], spacing[1:], strict=True):
            half = min(max(int(width / step), 1), size - 1)
            half_widths.append(half)
            if half < size - 1:
                reach = min(reach, (half + 1) * step)
        return cls(tuple(half_widths), reach, tuple(spacing))

    def cost(self, voxels: int, queries: int) -> float:
        """Return the expected time in nanoseconds."""
        per_voxel = _NS_BAND_VOXEL + _NS_BAND_STEP * sum(self.half_widths[:-1])
        per_query = _NS_BAND_QUERY * (1 + self.half_widths[-1])
        return voxels * per_voxel + queries * per_query

    def squared_distances(
        self, target: BoolArray, query: BoolArray
    ) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return squared distances and flat indices of the query voxels."""
        margin = self.half_widths[-1]
        shape = (*target.shape[:-1], target.shape[-1] + 2 * margin)
        inner = slice(margin, margin + target.shape[-1])
        squared = np.full(shape, np.inf)
        self._all_but_last(target, squared[..., inner])
        wanted = np.zeros(shape, bool)
        wanted[..., inner] = query
        index = np.flatnonzero(wanted)
        values = squared.ravel()
        best = values[index]
        for step in range(1, margin + 1):
            side = np.minimum(values[index - step], values[index + step])
            side += (step * self.spacing[-1]) ** 2
            np.minimum(best, side, out=best)
        rows, columns = np.divmod(index, shape[-1])
        return best, rows * target.shape[-1] + columns - margin

    def _all_but_last(self, target: BoolArray, out: FloatArray) -> None:
        """Fill `out` with the minimum over every axis but the last."""
        steps = _scan(target)
        lookup = (np.arange(len(target) + 1.0) * self.spacing[0]) ** 2
        lookup[-1] = np.inf
        for start in range(0, len(target), _PLANES):
            planes = slice(start, start + _PLANES)
            squared = lookup[steps[planes]]
            for axis in range(1, target.ndim - 1):
                squared = self._along(axis, squared)
            out[planes] = squared

    def _along(self, axis: int, squared: FloatArray) -> FloatArray:
        """Return the minimum over the band of a middle axis."""
        source = np.moveaxis(squared, axis, 0)
        best = squared.copy()
        moved = np.moveaxis(best, axis, 0)
        shifted = np.moveaxis(np.empty_like(squared), axis, 0)
        for step in range(1, self.half_widths[axis - 1] + 1):
            np.add(source, (step * self.spacing[axis]) ** 2, out=shifted)
            np.minimum(moved[step:], shifted[:-step], out=moved[step:])
            np.minimum(moved[:-step], shifted[step:], out=moved[:-step])
        return best


def _scan(target: BoolArray) -> NDArray[np.unsignedinteger]:
    """Return the steps along the first axis to a target voxel.

    The length of the axis stands for "none".
    """
    none = len(target)
    kind = np.min_scalar_type(none + 1).type  # small integers are fast
    steps: NDArray[np.unsignedinteger] = np.where(target, kind(0), kind(none))
    for i in range(1, none):
        np.minimum(steps[i], steps[i - 1] + kind(1), out=steps[i])
    for i in range(none - 2, -1, -1):
        np.minimum(steps[i], steps[i + 1] + kind(1), out=steps[i])
    return steps


def _tree_cost(targets: int, queries: int) -> float:
    return targets * _NS_TREE_BUILD + queries * _NS_TREE_QUERY


def _far_distances(
    target: BoolArray, index: NDArray[np.intp], spacing: Sequence[float]
) -> FloatArray:
    cost = _tree_cost(int(np.count_nonzero(target)), 2 * index.size)
    if cost < target.size * _NS_TRANSFORM:
        return _by_tree(target, index, spacing)
    transform: FloatArray = distance_transform_edt(~target, sampling=spacing)
    return transform.ravel()[index]


def _by_tree(
    target: BoolArray, index: NDArray[np.intp], spacing: Sequence[float]
) -> FloatArray:
    tree = cKDTree(
        _positions(np.flatnonzero(target), target.shape, spacing),
        leafsize=32,
        balanced_tree=False,
        compact_nodes=False,
    )
    distances: FloatArray
    distances, _ = tree.query(
        _positions(index, target.shape, spacing), workers=-1
    )
    return distances


def _positions(
    index: NDArray[np.intp], shape: tuple[int, ...], spacing: Sequence[float]
) -> FloatArray:
    columns = np.unravel_index(index, shape)
    positions: FloatArray = np.stack(columns, axis=1) * np.asarray(spacing)
    return positions
