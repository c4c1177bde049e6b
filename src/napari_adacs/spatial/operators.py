"""Differentiable operators on images and displacements (torch).

Tensors are (N, C, *spatial) with two or three spatial axes. Displacements
have one channel per axis, in array axis order and in voxels, and pull back:
``warped(x) = moving(x + u(x))``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_mode(ndim: int) -> str:
    """Return torch's name of (bi/tri)linear interpolation for `ndim` axes."""
    return 'bilinear' if ndim == 2 else 'trilinear'


def identity_coordinates(
    shape: Sequence[int], like: Tensor | None = None
) -> Tensor:
    """Return voxel coordinates (1, ndim, *shape) of a grid."""
    device = None if like is None else like.device
    dtype = torch.float32 if like is None else like.dtype
    axes = [torch.arange(n, device=device, dtype=dtype) for n in shape]
    return torch.stack(torch.meshgrid(axes, indexing='ij'))[None]


def sample(
    image: Tensor,
    coordinates: Tensor,
    mode: str = 'linear',
    padding: str = 'zeros',
) -> Tensor:
    """Sample an image at voxel coordinates.

    Parameters
    ----------
    image : (N, C, *shape) torch.Tensor
        Image to read.
    coordinates : (N, ndim, *out) torch.Tensor
        Where to read it, in voxels of `image`, array axis order.
    mode : {'linear', 'nearest'}, default: 'linear'
        Interpolation.
    padding : {'zeros', 'border'}, default: 'zeros'
        Value outside: zero, fading over one voxel, or the nearest voxel.

    Returns
    -------
    (N, C, *out) torch.Tensor
        Sampled values.
    """
    # Numbers, not tensors made of them: those would be copied to the device
    # while it waits.
    along = []
    for axis, size in reversed(list(enumerate(image.shape[2:]))):
        # An axis of one voxel has no extent to normalise by: coordinate 0
        # must land on its centre, which is 0 and not -1 in grid_sample's
        # frame.
        scale = 2.0 / max(size - 1, 1)
        shift = 1.0 if size > 1 else 0.0
        along.append(coordinates[:, axis] * scale - shift)
    normalised = torch.stack(along, dim=-1)
    return F.grid_sample(
        image,
        normalised.expand(image.shape[0], *normalised.shape[1:]),
        mode='bilinear' if mode == 'linear' else 'nearest',
        padding_mode=padding,
        align_corners=True,
    )


def warp(
    image: Tensor,
    displacement: Tensor,
    mode: str = 'linear',
    padding: str = 'zeros',
) -> Tensor:
    """Warp an image: ``warped(x) = image(x + u(x))``.

    Parameters
    ----------
    image : (N, C, *shape) torch.Tensor
        Moving image.
    displacement : (N, ndim, *shape) torch.Tensor
        Displacement in voxels.
    mode : {'linear', 'nearest'}, default: 'linear'
        Interpolation.
    padding : {'zeros', 'border'}, default: 'zeros'
        Value outside the moving image.
    """
    coordinates = identity_coordinates(displacement.shape[2:], displacement)
    return sample(image, coordinates + displacement, mode, padding)


def integrate(velocity: Tensor, steps: int) -> Tensor:
    """Integrate a stationary velocity field by scaling and squaring.

    ``u <- v / 2^K``, then K times ``u <- u + u o (id + u)`` [1]_.

    Parameters
    ----------
    velocity : (N, ndim, *shape) torch.Tensor
        Velocity in voxels per unit time.
    steps : int
        Number K of squarings; 0 returns the velocity itself.

    References
    ----------
    .. [1] Arsigny et al., MICCAI 2006; Dalca et al., MedIA 2019, Sec. 3.2.
    """
    if steps <= 0:
        return velocity
    coordinates = identity_coordinates(velocity.shape[2:], velocity)
    displacement: Tensor = velocity / 2.0**steps
    for _ in range(steps):
        displacement = displacement + sample(
            displacement, coordinates + displacement
        )
    return displacement


def resize_displacement(displacement: Tensor, factor: float) -> Tensor:
    """Resize a field and rescale its values to the new voxels.

    Corner-aligned linear interpolation as in VoxelMorph 0.2: values are
    scaled after shrinking and before growing.

    Parameters
    ----------
    displacement : (N, ndim, *shape) torch.Tensor
        Displacement in voxels of its own grid.
    factor : float
        Ratio of new to old size.

    Returns
    -------
    (N, ndim, *floor(shape * factor)) torch.Tensor
        Displacement in voxels of the new grid.
    """
    if factor == 1:
        return displacement
    mode = linear_mode(displacement.shape[1])
    if factor > 1:
        displacement = displacement * factor
    resized = F.interpolate(
        displacement, scale_factor=factor, mode=mode, align_corners=True
    )
    return resized if factor > 1 else resized * factor


def grow_displacement(displacement: Tensor, factor: int) -> Tensor:
    """Enlarge a field of block averages and rescale its values.

    Edge-aligned linear interpolation: voxel ``i`` of the new grid lies over
    voxel ``(i + 0.5) / factor - 0.5`` of the old one, as after averaging over
    blocks, and voxels are smaller by exactly `factor`. Corners of
    `resize_displacement` stay where they are, and its voxels do not quite.

    Parameters
    ----------
    displacement : (N, ndim, *shape) torch.Tensor
        Displacement in voxels of its own grid.
    factor : int
        Ratio of new to old size.

    Returns
    -------
    (N, ndim, *(shape * factor)) torch.Tensor
        Displacement in voxels of the new grid.
    """
    if factor == 1:
        return displacement
    return F.interpolate(
        displacement * factor,
        scale_factor=float(factor),
        mode=linear_mode(displacement.shape[1]),
        align_corners=False,
    )


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """Compose pull-back fields: ``(id + inner)`` first, then ``outer``.

    Returns the field ``w`` with ``x + w = (id + outer)(x + inner(x))``.
    """
    coordinates = identity_coordinates(inner.shape[2:], inner)
    return inner + sample(outer, coordinates + inner, padding='border')


def forward_differences(values: Tensor) -> list[Tensor]:
    """Return the forward difference along each spatial axis."""
    return [torch.diff(values, dim=d) for d in range(2, values.ndim)]
