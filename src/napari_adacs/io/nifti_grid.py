"""From the header of a NIfTI file to a `Grid`, and back to an affine."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.nifti_header import VOXEL_UNITS, NiftiHeader
from napari_adacs.spatial.grid import Grid

AxisOrder = Literal['auto', 'zyx', 'xyz']

_TOLERANCE = 1e-3
# Far beyond any image of a body, and far from overflow.
_SMALLEST_MM, _LARGEST_MM, _FARTHEST_MM = 1e-6, 1e6, 1e9
# Axes along x, y, z differ from the reverse by 2, a sagittal file by 1.
_CLEARLY = 1.5


@np.errstate(all='ignore')
def grid_of(header: NiftiHeader) -> tuple[Grid, list[str]]:
    """Place the array (z, y, x) or (y, x) of a file in the LPS world.

    The sform is used before the qform. Without either the axes are those of
    the world and the first voxel is at its origin, as in ITK.

    Parameters
    ----------
    header : NiftiHeader
        A checked header.

    Returns
    -------
    grid : Grid
        Grid of one frame; its axes are those of the file reversed.
    notes : list of str
        What had to be assumed.

    Raises
    ------
    InputError
        If the voxel size is not positive or the affine is not invertible.
    """
    ndim = 3 if len(header.dims) > 2 and header.dims[2] > 1 else 2
    spacing = header.pixdim[:ndim]
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise InputError(
            f'{header.name} has the voxel size '
            f'{tuple(spacing.tolist())}, which is not positive.',
            'Repair the header first: distances in mm would be wrong.',
        )
    affine, notes = _affine(header, spacing)
    if ndim == 2:
        affine, flat = _in_plane(affine)
        notes += flat
    units: Literal['mm', 'voxel'] = 'mm'
    if header.description.startswith(VOXEL_UNITS):
        units = 'voxel'
    try:
        grid = Grid.from_ras(header.dims[:ndim], affine, units)
    except InputError as error:
        raise InputError(
            f'{header.name}: {error.message}', error.hint
        ) from error
    _check_plausible(header.name, grid, spacing)
    if not np.allclose(grid.spacing, spacing, rtol=1e-2):
        notes.append('voxel size and affine differ, the affine is used')
    return grid.transposed(), notes


def _check_plausible(
    name: str, grid: Grid, spacing: NDArray[np.float64]
) -> None:
    sizes = np.append(grid.spacing, spacing)
    far = np.abs(grid.affine).max() > _FARTHEST_MM
    if far or sizes.min() < _SMALLEST_MM or sizes.max() > _LARGEST_MM:
        raise InputError(
            f'{name} has voxels of {sizes.min():.3g} to {sizes.max():.3g} mm '
            f'at {np.abs(grid.origin).max():.3g} mm from the origin, which '
            'cannot be.',
            'Repair the header first.',
        )


def _affine(
    header: NiftiHeader, spacing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    sform, qform = header.sform, header.qform
    if sform is None:
        if qform is not None:
            return qform, []
        sizes = np.append(spacing, np.ones(3 - len(spacing)))
        affine = np.diag([-sizes[0], -sizes[1], sizes[2], 1.0])
        return affine, ['no orientation in the file, only the voxel size']
    notes = []
    if qform is not None and np.isfinite(qform).all():
        corner = np.array([*header.dims[:3], 1.0])
        if len(corner) < 4:
            corner = np.insert(corner, 2, 1.0)
        apart = np.abs(sform - qform) @ corner
        if apart.max() > 0.5 * spacing.min():
            notes.append('sform and qform differ, the sform is used')
    return sform, notes


def _in_plane(
    affine: NDArray[np.float64],
) -> tuple[NDArray[np.float64], list[str]]:
    """Reduce the affine of a plane in space to two axes."""
    plane = affine[:3, :2]
    sizes = np.linalg.norm(plane, axis=0)
    if np.abs(plane[2]).max() <= _TOLERANCE * sizes.min():
        flat = np.eye(3)
        flat[:2, :2], flat[:2, 2] = plane[:2], affine[:2, 3]
        return flat, []
    return (
        np.diag([-sizes[0], -sizes[1], 1.0]),
        ['the plane is oblique in space, its orientation is left out'],
    )


def file_affine(grid: Grid, order: AxisOrder) -> NDArray[np.float64]:
    """Return the RAS affine (4, 4) of the array as stored in a file.

    Parameters
    ----------
    grid : Grid
        Grid of the array.
    order : {'zyx', 'xyz'}
        Whether the array axes are stored in reversed order or as they are.
    """
    stored = grid.transposed() if order == 'zyx' else grid
    n = grid.ndim
    affine = np.eye(4)
    affine[:n, :n] = stored.ras_affine[:n, :n]
    affine[:n, 3] = stored.ras_affine[:n, n]
    return affine


def resolve_order(grid: Grid, order: AxisOrder) -> AxisOrder:
    """Decide whether the first array axis is the slowest or the fastest.

    The direction cosines tell only part: the axes of an array (z, y, x) that
    was read from a sagittal file do not follow the world axes either way.
    So 'auto' takes an array for (x, y, z) only if that is clearly closer to
    the diagonal; it is (z, y, x), as in napari, otherwise.
    """
    if order != 'auto':
        return order
    cosines = np.abs(grid.direction)
    forward = np.trace(cosines)
    backward = np.trace(cosines[:, ::-1])
    return 'xyz' if forward > backward + _CLEARLY else 'zyx'
