"""The displacement field: the one object every result derives from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from napari_adacs.errors import InputError
from napari_adacs.spatial import operators
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.jacobian import jacobian_determinant
from napari_adacs.spatial.sampling import (
    apply_affine,
    linear_labels,
    nearest_labels,
    read_at,
    resample_vectors,
)

LabelMethod = Literal['nearest', 'linear']


@dataclass(frozen=True, eq=False)
class DisplacementField:
    """A dense displacement on the fixed grid, in voxels, pulling back.

    Voxel ``x`` of the fixed grid corresponds to the place ``x + u(x)`` of the
    moving anatomy: ``warped(x) = moving(x + u(x))``.

    Parameters
    ----------
    voxels : (ndim, *shape) numpy.ndarray of float32
        Displacement in voxels of `grid`; component order is array axis
        order.
    grid : Grid
        The fixed grid.
    moving_grid : Grid, optional
        Grid of the moving image; the fixed grid if omitted.
    inverse_voxels : (ndim, *shape) numpy.ndarray of float32, optional
        Displacement of the inverse map on the same grid, where the model
        knows it (``exp(-v)`` of a velocity field). Computed by fixed-point
        iteration on demand otherwise.

    Raises
    ------
    InputError
        If shapes do not fit or a component is not finite.
    """

    voxels: NDArray[np.float32]
    grid: Grid
    moving_grid: Grid | None = None
    inverse_voxels: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        voxels = np.ascontiguousarray(self.voxels, dtype=np.float32)
        expected = (self.grid.ndim, *self.grid.shape)
        if voxels.shape != expected:
            raise InputError(
                f'A displacement of shape {voxels.shape} does not fit its '
                f'grid, which needs {expected}.'
            )
        if not np.isfinite(voxels).all():
            raise InputError('The displacement has NaN or infinite values.')
        object.__setattr__(self, 'voxels', voxels)
        if self.moving_grid is not None:
            _require_same_ndim(self.grid, self.moving_grid)

    @classmethod
    def identity(
        cls, grid: Grid, moving_grid: Grid | None = None
    ) -> DisplacementField:
        """Return the field that moves nothing."""
        zeros = np.zeros((grid.ndim, *grid.shape), np.float32)
        return cls(zeros, grid, moving_grid, zeros)

    @property
    def field_vox(self) -> NDArray[np.float32]:
        """The same as `voxels`."""
        return self.voxels

    @property
    def field_mm(self) -> NDArray[np.float32]:
        """(ndim, *shape) displacement along each array axis, in mm.

        For axis-aligned grids this is `voxels` times the spacing.
        """
        spacing = np.asarray(self.grid.spacing, np.float32)
        shape = (-1, *([1] * self.grid.ndim))
        scaled: NDArray[np.float32] = self.voxels * spacing.reshape(shape)
        return scaled

    @property
    def field_world(self) -> NDArray[np.float32]:
        """(ndim, *shape) displacement as LPS vectors (x, y[, z]), in mm."""
        matrix = self.grid.affine[:-1, :-1].astype(np.float32)
        world: NDArray[np.float32] = np.tensordot(matrix, self.voxels, 1)
        return world

    @property
    def magnitude_mm(self) -> NDArray[np.float32]:
        """(*shape) length of the displacement in mm."""
        length: NDArray[np.float32] = np.linalg.norm(self.field_world, axis=0)
        return length

    def warp_image(
        self, moving: ArrayLike, padding: Literal['zeros', 'border'] = 'zeros'
    ) -> NDArray[np.float32]:
        """Resample the moving image on the fixed grid, linearly.

        Parameters
        ----------
        moving : (*moving_shape) array_like
            Image on the moving grid.
        padding : {'zeros', 'border'}, default: 'zeros'
            Value outside the moving image.

        Returns
        -------
        (*shape) numpy.ndarray of float32
            Warped image.
        """
        image = torch.from_numpy(np.asarray(moving, np.float32))
        with torch.inference_mode():
            out = operators.sample(
                self._checked(image)[None, None],
                self._moving_coordinates(),
                padding=padding,
            )
        return out[0, 0].numpy()

    def warp_labels(
        self, labels: ArrayLike, method: LabelMethod = 'linear'
    ) -> NDArray[np.generic]:
        """Resample a segmentation on the fixed grid.

        Parameters
        ----------
        labels : (*moving_shape) array_like of int
            Label image on the moving grid.
        method : {'linear', 'nearest'}, default: 'linear'
            'linear' interpolates each label's mask and keeps the largest,
            background included, which for one label cuts at 0.5;
            'nearest' copies the nearest voxel.

        Returns
        -------
        (*shape) numpy.ndarray
            Warped labels, same dtype.
        """
        values = np.asarray(labels)
        self._checked(torch.empty(values.shape, device='meta'))
        with torch.inference_mode():
            coordinates = self._moving_coordinates()
            if method == 'nearest':
                return nearest_labels(values, coordinates)
            return linear_labels(values, coordinates)

    def warp_points(self, points: ArrayLike) -> NDArray[np.float64]:
        """Carry points of the moving image onto the fixed image.

        Points move against the pull-back direction, so the inverse field is
        used.

        Parameters
        ----------
        points : (N, ndim) array_like
            Positions in voxels of the moving grid.

        Returns
        -------
        (N, ndim) numpy.ndarray of float64
            Positions in voxels of the fixed grid.
        """
        index = np.atleast_2d(np.asarray(points, np.float64))
        if self.moving_grid is not None:
            world = self.moving_grid.index_to_world(index)
            index = self.grid.world_to_index(world)
        return index + read_at(self.inverse().voxels, index)

    def pull_points(self, points: ArrayLike) -> NDArray[np.float64]:
        """Find where points of the fixed image come from in the moving one.

        Parameters
        ----------
        points : (N, ndim) array_like
            Positions in voxels of the fixed grid.

        Returns
        -------
        (N, ndim) numpy.ndarray of float64
            Positions in voxels of the moving grid.
        """
        index = np.atleast_2d(np.asarray(points, np.float64))
        index = index + read_at(self.voxels, index)
        if self.moving_grid is None:
            return index
        world = self.grid.index_to_world(index)
        return self.moving_grid.world_to_index(world)

    def jacobian_determinant(self) -> NDArray[np.float32]:
        """Return the (*shape) determinant of ``d(x + u)/dx``; <= 0 folds."""
        return jacobian_determinant(self.voxels)

    def inverse(self) -> DisplacementField:
        """Return the inverse field, on the fixed grid.

        Damped fixed-point iterations ``w <- w - (w + u o (id + w)) / 2``
        [1]_, from the inverse a velocity field gave, where there is one.

        References
        ----------
        .. [1] Chen et al., Med. Phys. 35(1), 2008.
        """
        known = self.inverse_voxels is not None
        start = self.inverse_voxels if known else -self.voxels
        field = torch.from_numpy(self.voxels)[None]
        with torch.inference_mode():
            inverse = torch.tensor(start)[None]
            for _ in range(6 if known else 50):
                inverse -= operators.compose(field, inverse) / 2
        return DisplacementField(
            inverse[0].numpy(), self.grid, None, self.voxels
        )

    def compose(self, inner: DisplacementField) -> DisplacementField:
        """Return the field that applies `inner` first, then this one.

        ``x + w(x) = (id + self)(x + inner(x))``; both must live on grids
        that cover the same space.
        """
        outer = self.to_grid(inner.grid)
        with torch.inference_mode():
            composed = operators.compose(
                torch.from_numpy(outer.voxels)[None],
                torch.from_numpy(inner.voxels)[None],
            )
        return DisplacementField(
            composed[0].numpy(), inner.grid, self.moving_grid or self.grid
        )

    def to_grid(self, grid: Grid) -> DisplacementField:
        """Resample the field on another grid, keeping the motion in mm.

        Parameters
        ----------
        grid : Grid
            The new fixed grid, anywhere in the same world.
        """
        if grid.same_space(self.grid):
            return self
        _require_same_ndim(self.grid, grid)
        moving_grid = self.moving_grid or self.grid
        voxels = resample_vectors(self.voxels, self.grid, grid)
        inverse = None
        if self.inverse_voxels is not None:
            inverse = resample_vectors(self.inverse_voxels, self.grid, grid)
        return DisplacementField(voxels, grid, moving_grid, inverse)

    def _moving_coordinates(self) -> Tensor:
        """Return where each fixed voxel comes from, in moving voxels."""
        coordinates = operators.identity_coordinates(self.grid.shape)
        coordinates = coordinates + torch.from_numpy(self.voxels)[None]
        if self.moving_grid is None:
            return coordinates
        return apply_affine(
            self.grid.index_map_to(self.moving_grid), coordinates
        )

    def _checked(self, image: Tensor) -> Tensor:
        expected = (self.moving_grid or self.grid).shape
        if tuple(image.shape) != expected:
            raise InputError(
                f'An image of shape {tuple(image.shape)} cannot be warped '
                f'by this field, which expects {expected}.'
            )
        return image


def _require_same_ndim(first: Grid, second: Grid) -> None:
    if first.ndim != second.ndim:
        raise InputError(
            f'A {first.ndim}D image cannot be combined with a '
            f'{second.ndim}D one.',
            'Choose two images with the same number of axes.',
        )
