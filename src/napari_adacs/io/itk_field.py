"""Displacement fields as ITK vector images.

The file is what ITK, ANTs and 3D Slicer call a displacement field or warp:
a NIfTI image with the axes (i, j, k, 1, 3), or (i, j, 1, 1, 2) in 2D, intent
code 1007 (vector) and float32 components (x, y[, z]) in millimetres of the
LPS world. The convention is pull-back: a point p of the fixed image takes
the intensity of the moving image at p + u(p). So

* SimpleITK: ``DisplacementFieldTransform(ReadImage(f, sitkVectorFloat64))``
  and ``Resample(moving, fixed, transform)``;
* ANTs: ``antsApplyTransforms -i moving -r fixed -t f``;
* 3D Slicer: load as a transform, apply to the moving volume, harden;

give the warped image. Fields with intent code 1006 (displacement) are read
as well; ITK 5.4 and later hold their 3D vectors as RAS in the file.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.io.byte_source import open_source
from napari_adacs.io.nifti_data import (
    check_suffix,
    from_file_order,
    make_image,
    read_array,
    write_image,
)
from napari_adacs.io.nifti_grid import (
    AxisOrder,
    grid_of,
    stored_axes,
    upright,
)
from napari_adacs.io.nifti_header import (
    INTENT_DISPLACEMENT,
    INTENT_VECTOR,
    NiftiHeader,
    read_header,
)
from napari_adacs.spatial.grid import Grid

_logger = logging.getLogger(__name__)


def save_displacement(
    path: str | os.PathLike[str],
    field_voxels: NDArray[Any],
    grid: Grid,
    *,
    description: str = '',
    axis_order: AxisOrder = 'auto',
) -> None:
    """Write a pull-back displacement field, atomically.

    Parameters
    ----------
    path : path-like
        Name of the file, ending in .nii or .nii.gz.
    field_voxels : (ndim, *grid.shape) numpy.ndarray of float
        Displacement in voxels of `grid`, components in array axis order.
    grid : Grid
        Grid of the fixed image.
    description : str, default: ''
        At most 79 characters are kept.
    axis_order : {'auto', 'zyx', 'xyz'}, default: 'auto'
        As in `save_volume`.

    Raises
    ------
    InputError
        If the shapes do not fit, the field is not finite, or the file cannot
        be written.
    """
    target = Path(path)
    check_suffix(target)
    if field_voxels.shape != (grid.ndim, *grid.shape):
        raise InputError(
            f'A displacement on a grid of shape {grid.shape} has the shape '
            f'{(grid.ndim, *grid.shape)}, not {field_voxels.shape}.'
        )
    if grid.is_sheared:
        _logger.warning(
            '%s is on a sheared grid, which ITK does not read.', target.name
        )
    stored_as = stored_axes(grid, axis_order)
    world = voxels_to_world(field_voxels, grid)
    _check_finite(world, f'to be written to {target.name}')
    stored = world.transpose(*(1 + axis for axis in stored_as), 0)
    # five axes (i, j, k, t, component), whatever the dimension
    single = (1,) * (4 - grid.ndim)
    stored = stored.reshape(*stored.shape[:-1], *single, grid.ndim)
    image = make_image(stored, grid, stored_as, description)
    image.header.set_intent(INTENT_VECTOR)
    write_image(target, image)


def read_displacement(
    path: str | os.PathLike[str], *, max_bytes: int | None = None
) -> tuple[NDArray[np.float32], Grid]:
    """Read a pull-back displacement field.

    Parameters
    ----------
    path : path-like
        A vector image as ITK, ANTs or `save_displacement` write it.
    max_bytes : int, optional
        Most memory the field may take; a quarter of what is free if omitted.

    Returns
    -------
    field_voxels : (ndim, [Z,] Y, X) numpy.ndarray of float32
        Displacement in voxels of `grid`, components in array axis order.
    grid : Grid
        Grid of the fixed image, axes ([z,] y, x).

    Raises
    ------
    InputError
        If the file is no displacement field, cannot be read, or has values
        that are not finite.
    """
    world, grid = read_world_displacement(path, max_bytes=max_bytes)
    return world_to_voxels(world, grid), grid


def read_world_displacement(
    path: str | os.PathLike[str], *, max_bytes: int | None = None
) -> tuple[NDArray[np.float32], Grid]:
    """Read a pull-back displacement field as it is in the file.

    Parameters
    ----------
    path, max_bytes
        As in `read_displacement`.

    Returns
    -------
    field_world : (ndim, [Z,] Y, X) numpy.ndarray of float32
        Displacement in mm, components (x, y[, z]) in LPS; of a field that
        `save_displacement` wrote, the very bits it wrote.
    grid : Grid
        Grid of the fixed image, axes ([z,] y, x).

    Raises
    ------
    InputError
        As in `read_displacement`.
    """
    file = Path(path).expanduser()
    with open_source(file) as source:
        header = read_header(source)
        stored, _ = grid_of(header)
        _check_vector(header, stored)
        data = read_array(source, header, max_bytes)
    grid = upright(stored)
    world = from_file_order(data.reshape(grid.ndim, *stored.shape), grid)
    if header.intent == INTENT_DISPLACEMENT and grid.ndim == 3:
        world = world * np.array([-1, -1, 1], world.dtype)[:, None, None, None]
    _check_finite(world, f'in {file.name}')
    return world, grid


def world_to_voxels(
    field_world: NDArray[Any], grid: Grid
) -> NDArray[np.float32]:
    """Turn a displacement in the world into one in voxels of a grid.

    Parameters
    ----------
    field_world : (ndim, *grid.shape) numpy.ndarray of float
        Displacement in mm, components (x, y[, z]) in LPS.
    grid : Grid
        Grid on which it lies.
    """
    inverse = np.linalg.inv(grid.affine)
    return _mix_components(inverse[:-1, :-1], field_world)


def voxels_to_world(
    field_voxels: NDArray[Any], grid: Grid
) -> NDArray[np.float32]:
    """Turn a displacement in voxels into one in the world.

    Parameters
    ----------
    field_voxels : (ndim, *grid.shape) numpy.ndarray of float
        Displacement in voxels, components in array axis order.
    grid : Grid
        Grid on which it lies.

    Returns
    -------
    (ndim, *grid.shape) numpy.ndarray of float32
        Displacement in mm, components (x, y[, z]) in LPS.
    """
    return _mix_components(grid.affine[:-1, :-1], field_voxels)


def _check_finite(field: NDArray[np.float32], where: str) -> None:
    if not np.isfinite(field).all():
        raise InputError(
            f'The displacement {where} has NaN or infinite values.',
            'Compute it again.',
        )


@np.errstate(all='ignore')
def _mix_components(
    matrix: NDArray[np.floating], field: NDArray[Any]
) -> NDArray[np.float32]:
    """Apply a matrix to every vector, one component at a time.

    Sums are in double precision; only one component needs the memory.
    """
    mixed = np.empty(field.shape, dtype=np.float32)
    for row, target in zip(matrix, mixed, strict=True):
        target[...] = sum(
            float(weight) * component.astype(np.float64)
            for weight, component in zip(row, field, strict=True)
            if weight  # most grids are upright
        )
    return mixed


def _check_vector(header: NiftiHeader, grid: Grid) -> None:
    vectors = header.intent in (INTENT_VECTOR, INTENT_DISPLACEMENT)
    if len(header.dims) != 5 or header.dims[3] != 1:
        raise InputError(
            f'{header.name} is an image, not a displacement field.',
            'Choose a displacement.nii.gz of a registration.',
        )
    if not vectors or header.n_components != grid.ndim:
        raise InputError(
            f'{header.name} has {header.n_components} components per voxel '
            f'and intent code {header.intent}; a {grid.ndim}D displacement '
            f'field has {grid.ndim} and {INTENT_VECTOR}.',
            'Choose a displacement field written by ITK, ANTs or this plugin.',
        )
