"""Voxel grids in physical space.

A `Grid` is the only place that knows how array indices become millimetres.
Arrays may have their axes in any order: the grid of a NIfTI volume read by
nibabel is indexed (i, j, k), the grid of a napari layer (z, y, x). Both map
into the same world, the LPS frame of ITK and DICOM with axes (x, y, z), so
fields and images on either can be compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.errors import InputError

Units = Literal['mm', 'voxel']

_SHEAR_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Grid:
    """Shape and placement of a regular voxel grid.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels per array axis; two or three axes.
    affine : (ndim + 1, ndim + 1) numpy.ndarray of float64
        Homogeneous map from array index to world position. World axes are
        (x, y[, z]) in the LPS frame, whatever the order of the array axes.
    units : {'mm', 'voxel'}, default: 'mm'
        Unit of the world axes; 'voxel' where no physical size is known.
    file_axes : tuple of int, optional
        Array axes that the file of the image has as its first, second and
        third, where that is known.

    Raises
    ------
    InputError
        If the shape is not 2D or 3D, or the affine is not finite, singular
        or of the wrong size.
    """

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    units: Units = 'mm'
    file_axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) not in (2, 3):
            raise InputError(
                f'An image must have 2 or 3 spatial axes, not {len(shape)}.',
                'Choose a single frame or channel.',
            )
        if min(shape) < 1:
            raise InputError(f'The image is empty (shape {shape}).')
        affine = np.array(self.affine, dtype=np.float64)
        n = len(shape) + 1
        if affine.shape != (n, n):
            raise InputError(
                f'A {len(shape)}D image needs a {n} x {n} affine, '
                f'not {affine.shape}.'
            )
        if not np.isfinite(affine).all():
            raise InputError(
                'The image geometry has NaN or infinite values.',
                'Repair the spacing and origin in the header first.',
            )
        norms = np.linalg.norm(affine[:-1, :-1], axis=0)
        det = np.linalg.det(affine[:-1, :-1])
        if norms.min() <= 0 or abs(det) < 1e-6 * np.prod(norms):
            raise InputError(
                'The image geometry is singular: two axes coincide or the '
                'spacing is zero.',
                'Repair the affine in the header first.',
            )
        affine.setflags(write=False)
        object.__setattr__(self, 'shape', shape)
        object.__setattr__(self, 'affine', affine)

    @classmethod
    def of_voxels(cls, shape: Sequence[int]) -> Grid:
        """Make the grid of a bare array ([z,] y, x), in voxels.

        The last axis is the first of the world, as in image files.
        """
        return cls.from_spacing(shape[::-1], units='voxel').transposed()

    @classmethod
    def from_spacing(
        cls,
        shape: Sequence[int],
        spacing: float | Sequence[float] = 1.0,
        origin: Sequence[float] | None = None,
        units: Units = 'mm',
    ) -> Grid:
        """Make an axis-aligned grid whose world axes follow the array axes.

        Parameters
        ----------
        shape : sequence of int
            Number of voxels per array axis.
        spacing : float or sequence of float, default: 1.0
            Voxel size in array axis order.
        origin : sequence of float, optional
            World position of the first voxel's centre; zero if omitted.
        units : {'mm', 'voxel'}, default: 'mm'
            Unit of `spacing` and `origin`.
        """
        ndim = len(tuple(shape))
        sizes = np.atleast_1d(np.asarray(spacing, dtype=np.float64))
        if sizes.size == 1:
            sizes = np.repeat(sizes, ndim)
        if sizes.shape != (ndim,):
            raise InputError(
                f'{ndim} axes need {ndim} spacings, not {sizes.size}.'
            )
        if not np.isfinite(sizes).all() or (sizes <= 0).any():
            raise InputError(
                f'Voxel spacing must be positive and finite, not '
                f'{tuple(sizes.tolist())}.',
                'Set the scale of the layer or repair the file header.',
            )
        affine = np.diag(np.append(sizes, 1.0))
        if origin is not None:
            affine[:-1, -1] = origin
        return cls(tuple(shape), affine, units)

    @classmethod
    def from_ras(
        cls, shape: Sequence[int], affine: ArrayLike, units: Units = 'mm'
    ) -> Grid:
        """Make a grid from a NIfTI (RAS) affine over (i, j[, k]) indices."""
        lps = np.array(affine, dtype=np.float64)
        lps[:2] *= -1
        return cls(tuple(shape), lps, units)

    @property
    def ndim(self) -> int:
        """Number of axes, 2 or 3."""
        return len(self.shape)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size per array axis, in `units`."""
        norms = np.linalg.norm(self.affine[:-1, :-1], axis=0)
        return tuple(float(s) for s in norms)

    @property
    def origin(self) -> NDArray[np.float64]:
        """World position (x, y[, z]) of the centre of the first voxel."""
        return self.affine[:-1, -1]

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit world vector of each array axis, one per column."""
        unit: NDArray[np.float64] = self.affine[:-1, :-1] / np.asarray(
            self.spacing
        )
        return unit

    @property
    def is_sheared(self) -> bool:
        """Whether the array axes are not orthogonal in the world."""
        gram = self.direction.T @ self.direction
        return bool(np.abs(gram - np.eye(self.ndim)).max() > _SHEAR_TOLERANCE)

    @property
    def ras_affine(self) -> NDArray[np.float64]:
        """The affine in the RAS frame that NIfTI uses."""
        ras = self.affine.copy()
        ras[:2] *= -1
        return ras

    def index_to_world(self, index: ArrayLike) -> NDArray[np.float64]:
        """Map array indices (N, ndim) to world positions (N, ndim)."""
        return _apply(self.affine, index)

    def world_to_index(self, world: ArrayLike) -> NDArray[np.float64]:
        """Map world positions (N, ndim) to array indices (N, ndim)."""
        return _apply(np.linalg.inv(self.affine), world)

    def index_map_to(self, other: Grid) -> NDArray[np.float64]:
        """Return the homogeneous matrix from own indices to `other`'s."""
        matrix = np.linalg.solve(other.affine, self.affine)
        return np.asarray(matrix, np.float64)

    def same_space(self, other: Grid, tolerance: float = 1e-3) -> bool:
        """Whether both grids have the same voxels, within a fraction of one.

        Parameters
        ----------
        other : Grid
            The grid to compare with.
        tolerance : float, default: 1e-3
            Largest distance of corresponding corner voxels, in voxels.
        """
        if self.shape != other.shape:
            return False
        difference = self.index_map_to(other) - np.eye(self.ndim + 1)
        reach = np.append(np.asarray(self.shape), 1.0)
        return bool((np.abs(difference) @ reach).max() <= tolerance)

    def resized(self, shape: Sequence[int]) -> Grid:
        """Return a grid of another shape over the same field of view.

        Voxel edges, not centres, stay where they are, as in
        `skimage.transform.resize`.
        """
        new = tuple(int(n) for n in shape)
        ratio = np.asarray(self.shape, float) / np.asarray(new, float)
        step = np.eye(self.ndim + 1)
        step[:-1, :-1] = np.diag(ratio)
        step[:-1, -1] = (ratio - 1) / 2
        return Grid(new, self.affine @ step, self.units)

    def padded(self, before: Sequence[int], after: Sequence[int]) -> Grid:
        """Return the grid with voxels added before and after each axis."""
        step = np.eye(self.ndim + 1)
        step[:-1, -1] = -np.asarray(before, float)
        shape = tuple(
            n + int(b) + int(a)
            for n, b, a in zip(self.shape, before, after, strict=True)
        )
        return Grid(shape, self.affine @ step, self.units)

    def transposed(self) -> Grid:
        """Return the grid of the array with its axes in reversed order."""
        order = [*range(self.ndim - 1, -1, -1), self.ndim]
        return Grid(self.shape[::-1], self.affine[:, order], self.units)

    def nearest_axes(self) -> tuple[int, ...]:
        """Return, for each world axis, the array axis that lies nearest.

        Each is named once; the sum of the cosines is as large as can be.
        """
        cosines = np.abs(self.direction)
        return max(
            itertools.permutations(range(self.ndim)),
            key=lambda p: sum(cosines[w, a] for w, a in enumerate(p)),
        )

    def oriented(self) -> Grid:
        """Return the grid with its axes in (x, y[, z]) order, ascending.

        The voxels stay where they are; axes are exchanged and reversed so
        that each runs along the world axis it is nearest to.
        """
        order = self.nearest_axes()
        turned = self.affine[:, list(order)]
        senses = [1 if turned[w, w] >= 0 else -1 for w in range(self.ndim)]
        return self.reordered(order, senses)

    def in_file_order(self) -> Grid:
        """Return the grid with its axes in the order of image files.

        Where that is not known, x comes first: all axes are reversed if the
        last one lies nearer to x than the first, as napari has them.
        """
        if self.file_axes is not None:
            return self.reordered(self.file_axes, [1] * self.ndim)
        nearest = np.abs(self.direction).argmax(axis=0)
        return self.transposed() if nearest[0] > nearest[-1] else self

    def reordered(self, order: Sequence[int], senses: Sequence[int]) -> Grid:
        """Return the same voxels with axes exchanged and reversed.

        Parameters
        ----------
        order : sequence of int
            For each new axis, the old one.
        senses : sequence of int
            For each new axis, +1 to keep its direction and -1 to reverse it.
        """
        affine = self.affine[:, [*order, self.ndim]].copy()
        shape = tuple(self.shape[axis] for axis in order)
        for axis, sense in enumerate(senses):
            if sense < 0:
                affine[:, -1] += affine[:, axis] * (shape[axis] - 1)
                affine[:, axis] *= -1
        return Grid(shape, affine, self.units)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON-able description, for run records."""
        return {
            'shape': list(self.shape),
            'spacing': [round(s, 6) for s in self.spacing],
            'affine_lps': self.affine.round(9).tolist(),
            'units': self.units,
        }


def _apply(
    matrix: NDArray[np.floating[Any]], points: ArrayLike
) -> NDArray[np.float64]:
    """Apply a homogeneous matrix to points (N, ndim)."""
    rows = np.atleast_2d(np.asarray(points, dtype=np.float64))
    moved: NDArray[np.float64] = rows @ matrix[:-1, :-1].T + matrix[:-1, -1]
    return moved
