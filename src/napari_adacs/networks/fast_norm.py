"""Normalisation of images whose channels lie next to each other.

PyTorch's own kernels for this layout take the variance for the mean square
less the squared mean, in single precision, which loses up to four digits.
Here the mean is subtracted first, as its kernels for the usual layout do.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def instance_norm(norm: nn.InstanceNorm3d, x: Tensor) -> Tensor:
    """Normalise each channel of each sample, keeping the layout."""
    if len(x) > 1 or norm.affine or norm.track_running_stats:
        return nn.InstanceNorm3d.forward(norm, x)
    values = x[0].flatten(1)
    mean = values.mean(1)
    variance = (values - mean[:, None]).square_().mean(1)
    return F.batch_norm(x, mean, variance, training=False, eps=norm.eps)


def group_norm(norm: nn.GroupNorm, x: Tensor) -> Tensor:
    """Normalise groups of channels of each sample, keeping the layout."""
    if x.is_contiguous():
        return nn.GroupNorm.forward(norm, x)
    values = x.flatten(2)
    mean = _of_group(values.mean(2), norm.num_groups)
    squares = (values - mean[..., None]).square_()
    variance = _of_group(squares.mean(2), norm.num_groups)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    shift = norm.bias - mean * scale
    around = (*mean.shape, *[1] * (x.ndim - 2))
    return torch.addcmul(shift.view(around), x, scale.view(around))


def _of_group(values: Tensor, groups: int) -> Tensor:
    """Replace channels (N, C) by the mean of their group."""
    by_group = values.view(len(values), groups, -1)
    return by_group.mean(2, keepdim=True).expand_as(by_group).flatten(1)
