"""Where two segmentations lie: voxel sizes, units, and a common grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy.ndimage import affine_transform

from napari_adacs.errors import InputError
from napari_adacs.evaluation.inputs import LabelArray, as_spacing
from napari_adacs.spatial.grid import Grid, Units

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField


@dataclass(frozen=True)
class Frame:
    """The geometry of a comparison on the fixed grid.

    Parameters
    ----------
    spacing : tuple of float
        Voxel size of the fixed labels.
    moving_spacing : tuple of float
        Voxel size of the moving labels.
    units : {'mm', 'voxel'}
        Unit of both.
    grid, moving_grid : Grid or None
        Where the labels lie, as far as it is known.
    """

    spacing: tuple[float, ...]
    moving_spacing: tuple[float, ...]
    units: Units
    grid: Grid | None
    moving_grid: Grid | None

    @classmethod
    def find(
        cls,
        moving: LabelArray,
        fixed: LabelArray,
        field: DisplacementField | None = None,
        spacing: float | Sequence[float] | None = None,
        grid: Grid | None = None,
        moving_grid: Grid | None = None,
    ) -> Frame:
        """Gather what is known, the explicit before the field's.

        Raises
        ------
        InputError
            If a grid does not fit its labels or the spacing is invalid.
        """
        if moving.ndim != fixed.ndim:
            raise InputError(
                f'{moving.ndim}D labels cannot be compared with '
                f'{fixed.ndim}D labels.',
                'Choose two segmentations with the same number of axes.',
            )
        if field is not None:
            _require_fit(field.grid, fixed, 'field')
            grid = grid or field.grid
            moving_grid = moving_grid or field.moving_grid
        if grid is not None:
            _require_fit(grid, fixed, 'grid')
        if moving_grid is None and moving.shape == fixed.shape:
            moving_grid = grid
        if moving_grid is not None:
            _require_fit(moving_grid, moving, 'moving grid')
        return cls._sized(fixed.ndim, spacing, grid, moving_grid)

    @classmethod
    def _sized(
        cls,
        ndim: int,
        spacing: float | Sequence[float] | None,
        grid: Grid | None,
        moving_grid: Grid | None,
    ) -> Frame:
        units: Units = 'mm'
        if spacing is not None:
            sizes = as_spacing(spacing, ndim)
        elif grid is not None:
            sizes, units = grid.spacing, grid.units
        else:
            sizes, units = (1.0,) * ndim, 'voxel'
        moving_sizes = sizes
        if grid is not None and moving_grid is not None:
            # Relative to the fixed grid, so that an explicit spacing of
            # the fixed labels carries over.
            moving_sizes = tuple(
                size * other / own
                for size, other, own in zip(
                    sizes, moving_grid.spacing, grid.spacing, strict=True
                )
            )
        return cls(sizes, moving_sizes, units, grid, moving_grid)

    def moving_on_fixed_grid(
        self, moving: LabelArray, shape: tuple[int, ...]
    ) -> LabelArray | None:
        """Return the moving labels on the fixed grid, not displaced.

        Parameters
        ----------
        moving : (*moving_shape) numpy.ndarray of int
            Labels on the moving grid.
        shape : tuple of int
            Shape of the fixed labels.

        Returns
        -------
        (*shape) numpy.ndarray of int or None
            The same array where both share their voxels, a copy by nearest
            neighbours where both grids are known, None where the relation
            is unknown.
        """
        if self.grid is None or self.moving_grid is None:
            return moving if moving.shape == shape else None
        if self.grid.same_space(self.moving_grid):
            return moving
        copied: LabelArray = affine_transform(
            moving,
            self.grid.index_map_to(self.moving_grid),
            output_shape=shape,
            order=0,
        )
        return copied


def _require_fit(grid: Grid, labels: LabelArray, name: str) -> None:
    if grid.shape != labels.shape:
        raise InputError(
            f'The {name} of shape {grid.shape} does not fit labels of shape '
            f'{labels.shape}.',
            'Choose the labels that belong to the registered images.',
        )
