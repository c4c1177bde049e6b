"""Checks on images before anything is computed (no torch)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_adacs.errors import InputError
from napari_adacs.registration.about import About
from napari_adacs.spatial.grid import Grid, Units


@dataclass(frozen=True, eq=False)
class ImageOnGrid:
    """An image and where it is.

    Parameters
    ----------
    data : (*shape) numpy.ndarray
        Intensities; never changed.
    grid : Grid
        Placement of the voxels.
    name : str
        How messages call it.
    about : About
        What its file says of it.
    """

    data: NDArray[Any]
    grid: Grid
    name: str
    about: About = About()


def image_on_grid(
    image: object, name: str, spacing: float | Sequence[float] | None = None
) -> ImageOnGrid:
    """Accept an array or a nibabel image.

    Parameters
    ----------
    image : array_like or nibabel image
        2D or 3D. A nibabel image brings its own geometry and keeps its
        (i, j, k) axis order.
    name : str
        'moving' or 'fixed', for messages.
    spacing : float or sequence of float, optional
        Voxel size of an array, in array axis order; without it distances
        are in voxels.

    Raises
    ------
    InputError
        If the image is not a single finite 2D or 3D scalar image.
    """
    affine = getattr(image, 'affine', None)
    if affine is not None and hasattr(image, 'dataobj'):
        data = np.asanyarray(image.dataobj)
        data, affine = _drop_flat_axis(data, np.asarray(affine))
        _check_axes(data, name)
        grid = Grid.from_ras(data.shape, affine)
        return checked(ImageOnGrid(data, grid, name, _about(image)))
    data = np.asarray(image)
    _check_axes(data, name)
    units: Units = 'voxel' if spacing is None else 'mm'
    grid = Grid.from_spacing(
        data.shape, 1.0 if spacing is None else spacing, units=units
    )
    return checked(ImageOnGrid(data, grid, name))


def _about(image: Any) -> About:
    """Return what a nibabel image says of itself."""
    path = getattr(image, 'get_filename', str)() or ''
    header: Any = getattr(image, 'header', {})
    described = header.get('descrip', b'') if hasattr(header, 'get') else b''
    if isinstance(described, np.ndarray):
        described = described.tobytes()
    if isinstance(described, bytes):
        described = described.rstrip(b'\0').decode('latin-1')
    return About(' '.join([*PurePath(path).parts[-3:], str(described)]))


def checked(image: ImageOnGrid) -> ImageOnGrid:
    """Return the image if it can be registered, or say why not.

    Raises
    ------
    InputError
        If it is not numeric, not finite, constant or too thin.
    """
    data, name = image.data, image.name
    if data.dtype.kind not in 'buif':
        raise InputError(
            f'The {name} image holds {data.dtype} values, not numbers.',
            'Convert it to a scalar image first.',
        )
    if min(data.shape) < 2:
        raise InputError(
            f'The {name} image has an axis of one voxel (shape {data.shape}).',
            'Choose a 2D image or a full volume.',
        )
    low, high = float(data.min()), float(data.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(
            f'The {name} image contains NaN or infinite values.',
            'Replace them, for example with numpy.nan_to_num.',
        )
    if low == high:
        raise InputError(
            f'The {name} image is constant ({low:g} everywhere): there is '
            f'nothing to align.',
            'Choose another image.',
        )
    return image


def check_pair(moving: ImageOnGrid, fixed: ImageOnGrid) -> None:
    """Check that two images can be registered to each other.

    Raises
    ------
    InputError
        If dimensions differ, or the images do not overlap in space.
    """
    if moving.grid.ndim != fixed.grid.ndim:
        raise InputError(
            f'The moving image is {moving.grid.ndim}D and the fixed image '
            f'is {fixed.grid.ndim}D.',
            'Choose two images with the same number of axes.',
        )
    unknown_size = 'voxel' in (moving.grid.units, fixed.grid.units)
    if unknown_size and moving.grid.shape != fixed.grid.shape:
        raise InputError(
            f'The images have different shapes, {moving.grid.shape} and '
            f'{fixed.grid.shape}, and no known voxel size.',
            'Give the spacing of both, or open files that carry it.',
        )
    if overlap_fraction(moving.grid, fixed.grid) < 0.05:
        raise InputError(
            'The images hardly overlap in space.',
            'Check their origins, or align them rigidly first.',
        )


def checked_emphasis(
    emphasis: ArrayLike | None, fixed: Grid, refine_steps: int
) -> NDArray[np.float32] | None:
    """Return an emphasis map that refining can use, or say why not.

    Parameters
    ----------
    emphasis : (*fixed.shape) array_like or None
        By how much to raise the residual weight, 0 or more.
    fixed : Grid
        Where it has to lie.
    refine_steps : int
        Steps of instance optimisation: only they look at it.

    Raises
    ------
    InputError
        If it has another shape, is negative or not finite, is zero
        everywhere, or nothing would be refined.
    """
    if emphasis is None:
        return None
    values = np.asarray(emphasis)
    if values.dtype.kind not in 'buif' or values.shape != fixed.shape:
        raise InputError(
            f'An emphasis of shape {values.shape} does not fit the fixed '
            f'image, whose shape is {fixed.shape}.',
            'Paint it on the fixed image.',
        )
    weights = values.astype(np.float32)
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise InputError(
            'The emphasis has negative or infinite values.',
            'Use 0 where nothing changes, and more where residuals count '
            'more.',
        )
    if not weights.any():
        raise InputError(
            'The emphasis is zero everywhere: nothing is marked.',
            'Paint the region that should fit better.',
        )
    if not refine_steps:
        raise InputError(
            'An emphasis needs steps of refinement.',
            "Set 'refine_steps' to some tens.",
        )
    return weights


def overlap_fraction(moving: Grid, fixed: Grid) -> float:
    """Return the share of fixed voxels that lie inside the moving grid."""
    steps = [np.linspace(0, n - 1, 12) for n in fixed.shape]
    points = np.stack(np.meshgrid(*steps, indexing='ij'), -1)
    flat = points.reshape(-1, fixed.ndim)
    index = moving.world_to_index(fixed.index_to_world(flat))
    inside = (index >= -0.5) & (index <= np.asarray(moving.shape) - 0.5)
    return float(inside.all(axis=1).mean())


def _check_axes(data: NDArray[Any], name: str) -> None:
    if data.ndim == 4:
        raise InputError(
            f'The {name} image has four axes (shape {data.shape}).',
            'Choose one frame of the sequence.',
        )
    if data.ndim == 3 and data.shape[-1] in (3, 4) and data.dtype == np.uint8:
        raise InputError(
            f'The {name} image looks like RGB colour (shape {data.shape}).',
            'Convert it to grey values first.',
        )
    if data.ndim not in (2, 3):
        raise InputError(
            f'The {name} image has {data.ndim} axes; 2 or 3 are needed.'
        )


def _drop_flat_axis(
    data: NDArray[Any], affine: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Turn an (n, m, 1) or (n, m) NIfTI plane into 2D."""
    if data.ndim == 3 and data.shape[2] == 1:
        data = data[:, :, 0]
    if data.ndim != 2:
        return data, affine
    plane = np.eye(3)
    plane[:2, :2] = affine[:2, :2]
    plane[:2, 2] = affine[:2, 3]
    in_plane = np.abs(affine[2, :2]).max() < 1e-6 * np.abs(affine).max()
    if not in_plane:
        # An oblique plane has no 2D world of its own: keep its spacing.
        sizes = np.linalg.norm(affine[:3, :2], axis=0)
        plane = np.diag([*sizes, 1.0])
    return data, plane
