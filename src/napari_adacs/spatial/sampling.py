"""Reading images, labels and vectors between grids."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_adacs.spatial import operators
from napari_adacs.spatial.grid import Grid


def apply_affine(matrix: NDArray[np.float64], coordinates: Tensor) -> Tensor:
    """Apply a homogeneous matrix to coordinates (1, ndim, *shape)."""
    linear = torch.as_tensor(matrix[:-1, :-1], dtype=coordinates.dtype)
    offset = torch.as_tensor(matrix[:-1, -1], dtype=coordinates.dtype)
    ndim = coordinates.shape[1]
    moved = torch.einsum('ij,nj...->ni...', linear, coordinates)
    return moved + offset.view(1, ndim, *([1] * ndim))


def resample_vectors(
    voxels: NDArray[np.float32], source: Grid, target: Grid
) -> NDArray[np.float32]:
    """Resample vectors (ndim, *shape), turning them into target voxels."""
    to_source = target.index_map_to(source)
    with torch.inference_mode():
        coordinates = apply_affine(
            to_source, operators.identity_coordinates(target.shape)
        )
        values = operators.sample(
            torch.from_numpy(voxels)[None], coordinates, padding='border'
        )
        # A vector in source voxels is the same vector in target voxels
        # after the linear part of the index map.
        linear = torch.as_tensor(
            np.linalg.inv(to_source[:-1, :-1]), dtype=values.dtype
        )
        values = torch.einsum('ij,nj...->ni...', linear, values)
    return values[0].numpy()


def read_at(
    voxels: NDArray[np.float32], index: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read vectors (ndim, *shape) at positions (N, ndim), linearly."""
    from scipy.ndimage import map_coordinates

    columns = [
        map_coordinates(component, index.T, order=1, mode='nearest')
        for component in voxels
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def nearest_labels(
    values: NDArray[np.generic], coordinates: Tensor
) -> NDArray[np.generic]:
    """Copy the label of the nearest voxel; zero outside."""
    index = coordinates[0].round().long()
    inside = torch.ones(index.shape[1:], dtype=torch.bool)
    for axis, size in enumerate(values.shape):
        inside &= (index[axis] >= 0) & (index[axis] < size)
        index[axis].clamp_(0, size - 1)
    picked: NDArray[np.generic] = values[tuple(index.numpy())]
    picked[~inside.numpy()] = 0
    return picked


def linear_labels(
    values: NDArray[np.generic], coordinates: Tensor
) -> NDArray[np.generic]:
    """Give each place to the label with the largest linear share."""
    present = np.unique(values)
    out = np.zeros(tuple(coordinates.shape[2:]), values.dtype)
    best = torch.zeros(coordinates.shape[2:])
    total = torch.zeros(coordinates.shape[2:])
    reaches = _reaches(coordinates)
    for label in present:
        if label == 0:
            continue
        inside = values == label
        # Most labels are small: only places near them are looked at.
        near = _near(inside, reaches)
        mask = torch.from_numpy(inside.astype(np.float32))
        places = coordinates[(slice(None), slice(None), *near)]
        share = operators.sample(mask[None, None], places.contiguous())[0, 0]
        total[near] += share
        wins = share > best[near]
        out[near][wins.numpy()] = label
        best[near] = torch.where(wins, share, best[near])
    # Background competes with what the labels leave over.
    out[(best < 1 - total).numpy()] = 0
    return out


def _reaches(coordinates: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return where each plane of places lies: (ndim, planes) low and high."""
    ndim = coordinates.shape[1]
    return [
        (
            coordinates[0].amin(dim=_others(axis, ndim)),
            coordinates[0].amax(dim=_others(axis, ndim)),
        )
        for axis in range(ndim)
    ]


def _others(axis: int, ndim: int) -> tuple[int, ...]:
    return tuple(other + 1 for other in range(ndim) if other != axis)


def _near(
    inside: NDArray[np.bool_], reaches: list[tuple[Tensor, Tensor]]
) -> tuple[slice, ...]:
    """Return a box of places outside of which a mask has no share."""
    ndim = inside.ndim
    ends = []
    for axis in range(ndim):
        others = tuple(other for other in range(ndim) if other != axis)
        planes = np.flatnonzero(inside.any(axis=others))
        # one voxel of interpolation, and some for rounding
        ends.append((planes[0] - 1.01, planes[-1] + 1.01))
    box = []
    for low, high in reaches:
        hits = torch.ones(low.shape[1], dtype=torch.bool)
        for axis, (first, last) in enumerate(ends):
            hits &= (high[axis] >= first) & (low[axis] <= last)
        places = torch.nonzero(hits)[:, 0].tolist()
        box.append(slice(places[0], places[-1] + 1) if places else slice(0))
    return tuple(box)
