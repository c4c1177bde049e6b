"""From images on their own grids to tensors on the network's grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.models.header import Preprocessing
from napari_adacs.registration.beam import beam_grid
from napari_adacs.registration.inputs import ImageOnGrid
from napari_adacs.spatial import operators
from napari_adacs.spatial.grid import Grid
from napari_adacs.spatial.sampling import apply_affine
from napari_adacs.spatial.stack import slices_first


@dataclass(frozen=True, eq=False)
class NetworkPair:
    """Two images as the network sees them.

    Parameters
    ----------
    moving, fixed : (1, 1, *grid.shape) torch.Tensor
        Images in [0, 1] on one grid.
    grid : Grid
        The network grid.
    emphasis : (1, 1, *grid.shape) torch.Tensor, optional
        By how much to raise the residual weight while refining.
    """

    moving: Tensor
    fixed: Tensor
    grid: Grid
    emphasis: Tensor | None = None


def network_grid(
    fixed: ImageOnGrid,
    preprocessing: Preprocessing,
    multiple: int,
    ndim: int | None = None,
) -> Grid:
    """Return the grid on which the network runs.

    Parameters
    ----------
    fixed : ImageOnGrid
        Fixed image; its voxels matter only for finding the beam.
    preprocessing : Preprocessing
        The model's rule.
    multiple : int
        Every axis must be a multiple of this; voxels are added at the end.
    ndim : int, optional
        Axes of the model. One of 2D takes the slices of a stack one by one:
        the axis across them comes first and stays as it is.
    """
    grid = fixed.grid
    across = grid.ndim - (ndim or grid.ndim)
    if preprocessing.orientation == 'lps':
        grid = grid.oriented()
    elif preprocessing.orientation == 'file':
        grid = grid.in_file_order()
    elif preprocessing.orientation == 'beam':
        grid = beam_grid(grid, fixed.data)
    if across:
        grid = slices_first(grid)
    target = preprocessing.resampled(grid.shape[across:])
    if target:
        grid = grid.resized((*grid.shape[:across], *target))
    after = [-n % multiple for n in grid.shape[across:]]
    return grid.padded([0] * grid.ndim, [0] * across + after)


def prepare(
    moving: ImageOnGrid,
    fixed: ImageOnGrid,
    grid: Grid,
    emphasis: NDArray[np.float32] | None = None,
) -> NetworkPair:
    """Resample both images to the network grid and scale them to [0, 1].

    Parameters
    ----------
    moving, fixed : ImageOnGrid
        The images.
    grid : Grid
        The network grid.
    emphasis : (*fixed.shape) numpy.ndarray of float32, optional
        As `register` takes it; resampled, not scaled.
    """
    return NetworkPair(
        scaled(resample(moving.data, moving.grid, grid)),
        scaled(resample(fixed.data, fixed.grid, grid)),
        grid,
        None if emphasis is None else resample(emphasis, fixed.grid, grid),
    )


def resample(data: NDArray[np.generic], source: Grid, target: Grid) -> Tensor:
    """Resample an image linearly, smoothed first where voxels grow.

    Parameters
    ----------
    data : (*source.shape) numpy.ndarray
        Image.
    source, target : Grid
        From where to where.

    Returns
    -------
    (1, 1, *target.shape) torch.Tensor
        Values on the target; zero outside the source.
    """
    values = np.ascontiguousarray(data, dtype=np.float32)
    if source.same_space(target):
        return torch.from_numpy(values)[None, None]
    to_source = target.index_map_to(source)
    values = _smoothed(values, np.linalg.norm(to_source[:-1, :-1], axis=1))
    coordinates = apply_affine(
        to_source, operators.identity_coordinates(target.shape)
    )
    # Voxels reach half a voxel beyond their centres: values there are those
    # of the edge, not a blend with zero.
    inside = torch.ones(coordinates.shape[2:], dtype=torch.bool)
    for axis, size in enumerate(source.shape):
        along = coordinates[0, axis]
        inside &= (along >= -0.5) & (along <= size - 0.5)
    sampled = operators.sample(
        torch.from_numpy(values)[None, None], coordinates, padding='border'
    )
    return sampled * inside


def _smoothed(
    values: NDArray[np.float32], factors: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Blur axes that lose resolution, as `skimage.transform.resize` does."""
    sigma = np.maximum(0, (factors - 1) / 2)
    if sigma.max() < 0.01:
        return values
    from scipy.ndimage import gaussian_filter

    blurred: NDArray[np.float32] = gaussian_filter(
        values, sigma, mode='nearest'
    )
    return blurred


def scaled(image: Tensor) -> Tensor:
    """Scale an image to [0, 1]; a constant one becomes zero."""
    low, high = image.min(), image.max()
    span = torch.where(high > low, high - low, torch.ones_like(high))
    return (image - low) / span
