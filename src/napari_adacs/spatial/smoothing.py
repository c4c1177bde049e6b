"""Gaussian smoothing and resizing, one small matrix per axis.

A Gaussian, a change of size and a linear interpolation are all linear along
one axis, so each is a matrix of (new size, size). Multiplying by it costs a
fraction of a convolution at the sizes of echo and cine volumes, runs on every
device, and smooths and resizes in one go.

Sizes are aligned by their edges: voxel ``i`` of ``m`` lies over voxel
``(i + 0.5) n / m - 0.5`` of ``n``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

# Beyond four standard deviations; leaves no denormal numbers behind, which
# would slow every product tenfold.
_NEGLIGIBLE = 3e-4


def smooth(
    values: Tensor,
    sigma: float | Sequence[float],
    shape: Sequence[int] | None = None,
) -> Tensor:
    """Smooth with a Gaussian, and resize where a shape is given.

    Parameters
    ----------
    values : (C, *shape) torch.Tensor
        Values; the edge is continued by renormalising the kernel.
    sigma : float or sequence of float
        Standard deviation along each axis, in voxels of `values`.
    shape : sequence of int, optional
        New size; each new voxel averages at least what it covers.

    Returns
    -------
    (C, *new_shape) torch.Tensor
        Smoothed values.
    """
    old = values.shape[1:]
    new = old if shape is None else shape
    sigmas = (
        [float(sigma)] * len(old)
        if isinstance(sigma, (int, float))
        else [float(s) for s in sigma]
    )
    return _along_axes(
        values,
        [
            None if m == n and s <= 0 else gaussian_matrix(n, m, s)
            for n, m, s in zip(old, new, sigmas, strict=True)
        ],
    )


def enlarge(values: Tensor, shape: Sequence[int]) -> Tensor:
    """Interpolate (C, *shape) linearly onto a finer grid."""
    return _along_axes(
        values,
        [
            None if m == n else linear_matrix(n, m)
            for n, m in zip(values.shape[1:], shape, strict=True)
        ],
    )


def resize_vectors(vectors: Tensor, shape: Sequence[int]) -> Tensor:
    """Bring displacements to another size, in voxels of it.

    Parameters
    ----------
    vectors : (ndim, *old_shape) torch.Tensor
        Displacements, in voxels of their own grid.
    shape : sequence of int
        New size. Onto a finer grid displacements are interpolated; where
        an axis loses voxels they are averaged.

    Returns
    -------
    (ndim, *shape) torch.Tensor
        Displacements, in voxels of the new grid.
    """
    old = vectors.shape[1:]
    factors = [m / n for n, m in zip(old, shape, strict=True)]
    finer = min(factors) >= 1
    resized = enlarge(vectors, shape) if finer else smooth(vectors, 0, shape)
    scale = vectors.new_tensor(factors)
    return resized * scale.view(-1, *([1] * len(factors)))


@lru_cache(maxsize=128)
@torch.inference_mode(False)
def gaussian_matrix(size: int, new_size: int, sigma: float) -> Tensor:
    """Return the (new_size, size) matrix of a normalised Gaussian.

    Parameters
    ----------
    size, new_size : int
        Number of voxels before and after.
    sigma : float
        Standard deviation in old voxels; 0 averages over each new voxel.
    """
    centres = (torch.arange(new_size) + 0.5) * size / new_size - 0.5
    distance = torch.arange(size)[None] - centres[:, None]
    if sigma > 0:
        weights = torch.exp(-0.5 * (distance / sigma) ** 2)
        weights = weights * (weights > _NEGLIGIBLE)
    else:
        half = size / new_size / 2
        weights = (half + 0.5 - distance.abs()).clamp(0, 1)
    return weights / weights.sum(1, keepdim=True)


@lru_cache(maxsize=128)
@torch.inference_mode(False)
def linear_matrix(size: int, new_size: int) -> Tensor:
    """Return the (new_size, size) matrix of linear interpolation."""
    place = (torch.arange(new_size) + 0.5) * size / new_size - 0.5
    place = place.clamp(0, size - 1)
    below = place.floor().long().clamp(max=max(size - 2, 0))
    part = place - below
    matrix = torch.zeros(new_size, size)
    rows = torch.arange(new_size)
    matrix[rows, below] += 1 - part
    matrix[rows, (below + 1).clamp(max=size - 1)] += part
    return matrix


def _along_axes(values: Tensor, matrices: Sequence[Tensor | None]) -> Tensor:
    """Multiply every axis but the first by its matrix, where it has one."""
    for axis, matrix in reversed(list(enumerate(matrices))):
        if matrix is None:
            continue
        matrix = matrix.to(values)
        shape = list(values.shape)
        if axis == len(matrices) - 1:
            values = values.reshape(-1, shape[-1]) @ matrix.T
        else:
            lead = shape[: axis + 1]
            values = matrix @ values.reshape(*lead, shape[axis + 1], -1)
        shape[axis + 1] = matrix.shape[0]
        values = values.reshape(shape)
    return values
