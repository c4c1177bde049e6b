"""From the header of a NIfTI file to a `Grid`, and back to an affine."""

from __future__ import annotations

import itertools
from dataclasses import replace
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
# Slices so much thicker than the other voxel sides are to be seen as such.
_THICK = 2.0
# A plane whose normal has this cosine with the axis of sight is drawn by as
# much smaller than it is.
_DRAWABLE = 0.35
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


def upright(grid: Grid) -> Grid:
    """Exchange axes so that (z, y, x) run along those of the world.

    Files may have their axes in any order: those of brains often are (x, z,
    y). napari draws a slice by the part of the affine that belongs to the
    axes on the screen, which of exchanged axes is singular. Thick slices
    stay the first axis if they can, so that they are what is seen first. No
    axis is reversed.

    Parameters
    ----------
    grid : Grid
        Its axes are those of the file reversed.

    Returns
    -------
    Grid
        The same voxels; where axes were exchanged, it knows how the file
        has them.
    """
    order = _order_to_show(grid)
    if order == tuple(range(grid.ndim)):
        return grid
    # the first axis of the file was the last one of the array
    file_axes = tuple(order.index(a) for a in reversed(range(grid.ndim)))
    turned = grid.reordered(order, [1] * grid.ndim)
    return replace(turned, file_axes=file_axes)


def _order_to_show(grid: Grid) -> tuple[int, ...]:
    """Return the axes that are to be shown along z, y, x."""
    spacing = np.asarray(grid.spacing)
    thick = int(spacing.argmax())
    if spacing[thick] >= _THICK * np.median(spacing):
        cosines = np.abs(grid.direction[::-1])
        orders = [
            order
            for order in itertools.permutations(range(grid.ndim))
            if order[0] == thick
            and cosines[:, order].diagonal().min() >= _DRAWABLE
        ]
        if orders:
            return max(orders, key=lambda p: np.trace(cosines[:, p]))
    return grid.nearest_axes()[::-1]


def file_affine(grid: Grid, axes: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the RAS affine (4, 4) of the array as stored in a file.

    Parameters
    ----------
    grid : Grid
        Grid of the array.
    axes : tuple of int
        From `stored_axes`.
    """
    n = grid.ndim
    stored = grid.reordered(axes, [1] * n)
    affine = np.eye(4)
    affine[:n, :n] = stored.ras_affine[:n, :n]
    affine[:n, 3] = stored.ras_affine[:n, n]
    return affine


def stored_axes(grid: Grid, order: AxisOrder) -> tuple[int, ...]:
    """Return the array axes that are stored as i, j[, k].

    An array from a file goes back as it was there, unless it is to be 'xyz'.
    Else the question is whether its first axis is the slowest or the fastest.
    The direction cosines tell only part: the axes of an array (z, y, x) that
    was read from a sagittal file do not follow the world axes either way.
    So 'auto' takes an array for (x, y, z) only if that is clearly closer to
    the diagonal; it is (z, y, x), as in napari, otherwise.
    """
    straight = tuple(range(grid.ndim))
    if order == 'xyz':
        return straight
    if grid.file_axes is not None:
        return grid.file_axes
    if order == 'zyx':
        return straight[::-1]
    cosines = np.abs(grid.direction)
    forward = np.trace(cosines)
    backward = np.trace(cosines[:, ::-1])
    return straight if forward > backward + _CLEARLY else straight[::-1]
