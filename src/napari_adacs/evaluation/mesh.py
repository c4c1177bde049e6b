"""Surfaces as meshes, and the distance from one to another.

In 3D a surface is made of triangles, in 2D a contour of line segments. Both
run half way between the voxels inside and outside of a mask, and beyond the
border of the image there is only outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from napari_adacs.evaluation.inputs import (
    FloatArray,
    as_mask,
    as_spacing,
)
from napari_adacs.evaluation.simplices import squared_distances
from napari_adacs.evaluation.surface import bounding_box

# How many of the nearest faces are looked at first. Where a further one could
# still be nearer, four times as many are, and so on.
_FACES = 12
_POINTS_AT_ONCE = 4096
# Marching cubes let no other thread run Python while they work.
_VOXELS_AT_ONCE = 250_000


@dataclass(frozen=True, eq=False)
class Mesh:
    """The surface of a mask.

    Parameters
    ----------
    vertices : (N, ndim) numpy.ndarray of float64
        Corners, in voxels and in array axis order.
    faces : (M, ndim) numpy.ndarray of int64
        Corners of each triangle, or of each line segment in 2D.
    """

    vertices: FloatArray
    faces: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of vertices."""
        return len(self.vertices)

    def smoothed(self, rounds: int = 10) -> Mesh:
        """Return the same mesh without the steps of voxels, for pictures.

        Taubin's two alternating steps do not shrink it; no vertex leaves
        the voxel in which it was.

        Parameters
        ----------
        rounds : int, default: 10
            How often to smooth.

        References
        ----------
        .. [1] Taubin, "A signal processing approach to fair surface
           design", SIGGRAPH 1995.
        """
        neighbours = _averaging(self.faces, len(self))
        points = self.vertices
        for _ in range(rounds):
            for step in (0.5, -0.53):
                points = points + step * (neighbours @ points - points)
        moved = np.clip(points - self.vertices, -0.5, 0.5)
        return Mesh(self.vertices + moved, self.faces)


def surface_mesh(mask: ArrayLike) -> Mesh:
    """Return the surface of a mask: marching cubes, or squares in 2D.

    Parameters
    ----------
    mask : (*shape) array_like of bool
        2D or 3D; an empty one has no vertices.

    Raises
    ------
    InputError
        If the mask is not binary.

    References
    ----------
    .. [1] Lewiner et al., "Efficient implementation of marching cubes'
       cases with topological guarantees", J. Graphics Tools 8(2), 2003.
    """
    inside = as_mask(mask)
    if not inside.any():
        ndim = inside.ndim
        return Mesh(np.empty((0, ndim)), np.empty((0, ndim), np.int64))
    box = bounding_box(inside)
    padded = np.pad(inside[box], 1).astype(np.float32)
    vertices, faces = (_triangles if inside.ndim == 3 else _segments)(padded)
    corner = np.array([part.start - 1 for part in box])
    return Mesh(vertices + corner, faces)


def mesh_distances(
    mesh: Mesh,
    other: Mesh,
    spacing: float | Sequence[float] = 1.0,
    progress: Callable[[float], object] | None = None,
) -> FloatArray:
    """Return the distance of each vertex to the surface of another mesh.

    Parameters
    ----------
    mesh, other : Mesh
        On the same grid; `other` has at least one face.
    spacing : float or sequence of float, default: 1.0
        Voxel size in array axis order.
    progress : callable, optional
        Called with the fraction done; may raise to stop.

    Returns
    -------
    (N,) numpy.ndarray of float64
        Distance from each vertex of `mesh` to the nearest point on a face
        of `other`, in the unit of the spacing.
    """
    sizes = np.asarray(as_spacing(spacing, mesh.vertices.shape[1]))
    faces = _Faces.of((other.vertices * sizes)[other.faces])
    points = mesh.vertices * sizes
    found = np.empty(len(points))
    for start in range(0, len(points), _POINTS_AT_ONCE):
        if progress is not None:
            progress(start / len(points))
        part = slice(start, start + _POINTS_AT_ONCE)
        found[part] = faces.distances(points[part])
    return found


@dataclass(frozen=True, eq=False)
class _Faces:
    """Triangles or segments (M, n_corners, ndim), found by their middle.

    No point of a face is further from its middle than its `radii`.
    """

    simplices: FloatArray
    tree: cKDTree
    radii: FloatArray

    @classmethod
    def of(cls, simplices: FloatArray) -> _Faces:
        middles = simplices.mean(axis=1)
        arms = np.linalg.norm(simplices - middles[:, None], axis=2)
        return cls(simplices, cKDTree(middles), arms.max(axis=1))

    def distances(self, points: FloatArray) -> FloatArray:
        """Return the distance of points (N, ndim) to the nearest face."""
        best = np.full(len(points), np.inf)
        left, count = np.arange(len(points)), _FACES
        while left.size:
            count = min(count, self.tree.n)
            away, face = self.tree.query(
                points[left], list(range(1, count + 1))
            )
            best[left] = self._among(points[left], away, face)
            if count == self.tree.n:
                break
            # the next face begins no nearer than this
            left = left[away[:, -1] - self.radii.max() < best[left]]
            count *= 4
        return best

    def _among(
        self, points: FloatArray, away: FloatArray, face: NDArray[np.intp]
    ) -> FloatArray:
        """Return the distance to the nearest of some faces (N, k)."""
        best = squared_distances(points, self.simplices[face[:, 0]])
        lowest = away - self.radii[face]
        # the nearest few show that most others need no look
        for few in (slice(1, 3), slice(3, 9), slice(9, None)):
            bound = np.sqrt(best)[:, None]
            point, column = np.nonzero(lowest[:, few] < bound)
            squared = squared_distances(
                points[point], self.simplices[face[:, few][point, column]]
            )
            np.minimum.at(best, point, squared)
        nearest: FloatArray = np.sqrt(best)
        return nearest


def _triangles(
    padded: NDArray[np.float32],
) -> tuple[FloatArray, NDArray[np.int64]]:
    # loaded when the first surface is wanted, not with the evaluation
    from skimage.measure import marching_cubes

    planes = max(1, _VOXELS_AT_ONCE // padded[0].size)
    vertices, faces, count = [], [], 0
    for start in range(0, len(padded) - 1, planes):
        slab = padded[start : start + planes + 1]
        if not slab.any() or slab.all():
            continue
        found = marching_cubes(slab, 0.5)  # type: ignore[no-untyped-call]
        vertices.append(found[0].astype(np.float64) + [start, 0, 0])
        faces.append(found[1].astype(np.int64) + count)
        count += len(found[0])
    return _merged(np.concatenate(vertices), np.concatenate(faces), padded)


def _merged(
    vertices: FloatArray,
    faces: NDArray[np.int64],
    padded: NDArray[np.float32],
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Join vertices that slabs have in common.

    Those of a mask lie half way between two voxels: twice their coordinates
    are whole numbers.
    """
    shape = tuple(2 * n for n in padded.shape)
    twice = np.rint(2 * vertices).astype(np.int64)
    keys = np.ravel_multi_index(tuple(twice.T), shape)
    _, first, places = np.unique(keys, return_index=True, return_inverse=True)
    return vertices[first], places[faces]


def _segments(
    padded: NDArray[np.float32],
) -> tuple[FloatArray, NDArray[np.int64]]:
    from skimage.measure import find_contours

    vertices, faces, count = [], [], 0
    contours = find_contours(padded, 0.5)  # type: ignore[no-untyped-call]
    for contour in contours:
        points = contour[:-1]  # the last one is the first
        index = np.arange(len(points))
        faces.append(count + np.stack([index, np.roll(index, -1)], axis=1))
        vertices.append(points)
        count += len(points)
    return np.concatenate(vertices), np.concatenate(faces)


def _averaging(faces: NDArray[np.int64], n_vertices: int) -> csr_array:
    """Return a matrix that takes the mean over the neighbours."""
    pairs = np.concatenate(
        [faces[:, [i, j]] for i in range(faces.shape[1]) for j in range(i)]
    )
    rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T
    shape = n_vertices, n_vertices
    linked = csr_array((np.ones(rows.size), (rows, columns)), shape)
    linked.data[:] = 1  # an edge of two triangles is one edge
    degree = np.diff(linked.indptr)
    linked.data /= np.repeat(degree, degree)
    return linked
