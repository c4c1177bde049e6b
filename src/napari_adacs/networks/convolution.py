"""Convolutions of 2D and 3D networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Where an axis has fewer voxels, oneDNN's convolutions in bfloat16 are wrong
# on some processors (AVX-512 without AMX, seen with torch 2.13): gradients of
# the weights of 2 x 2 x 2 voxels are anything up to infinity, and results of a
# single voxel are off by more than themselves.
_FEWEST = 3


class _ExactWhenSmall(nn.Module):
    """A convolution, right for the smallest images too."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, ...)."""
        if _reliable(x):
            out: Tensor = super().forward(x)
            return out
        with torch.autocast('cpu', enabled=False):
            out = super().forward(x.float())
            return out


class Convolution2d(_ExactWhenSmall, nn.Conv2d):
    """`torch.nn.Conv2d`, right for the smallest images too."""


class Convolution3d(_ExactWhenSmall, nn.Conv3d):
    """`torch.nn.Conv3d`, right for the smallest images too."""


def convolution(ndim: int) -> type[nn.Conv2d] | type[nn.Conv3d]:
    """Return the convolution class for `ndim` spatial axes."""
    return Convolution2d if ndim == 2 else Convolution3d


def _reliable(x: Tensor) -> bool:
    """Return whether autocast may choose the precision."""
    return (
        x.device.type != 'cpu'
        or min(x.shape[2:]) >= _FEWEST
        or not torch.is_autocast_enabled('cpu')
    )
