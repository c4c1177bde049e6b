"""Blocks of the score network of DiffuseMorph.

Module names equal those of the authors' code, so that its state dicts load.

References
----------
Kim et al., "DiffuseMorph: Unsupervised Deformable Image Registration Using
Diffusion Model", ECCV 2022.
Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020, App. B.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_adacs.networks.convolution import convolution

# Most groups of the group normalisation, by number of axes.
_GROUPS = {2: 32, 3: 4}
_LINEAR_HEADS = 4


class TimeEncoding(nn.Module):
    """Sines, then cosines, of a step in geometric frequencies."""

    inv_freq: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        exponents = torch.arange(0, channels, 2, dtype=torch.float32)
        frequencies = 10000.0 ** (-exponents / channels)
        self.register_buffer('inv_freq', frequencies)

    def forward(self, step: Tensor) -> Tensor:
        """Map steps (N,) to (N, channels)."""
        angles = step.to(self.inv_freq.dtype)[:, None] * self.inv_freq
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


def group_norm(ndim: int, channels: int) -> nn.GroupNorm:
    """Return a group normalisation, of at least two channels per group.

    A group of one would take away what the step's encoding adds to a channel.
    The published widths get the published number of groups.
    """
    return nn.GroupNorm(math.gcd(_GROUPS[ndim], channels // 2), channels)


class NormConv(nn.Module):
    """Group normalisation, swish, dropout and convolution 3^ndim."""

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.block = nn.Sequential(
            group_norm(ndim, in_channels),
            nn.SiLU(),
            nn.Dropout(dropout) if dropout else nn.Identity(),
            convolution(ndim)(in_channels, out_channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, *shape)."""
        out: Tensor = self.block(x)
        return out


class ResidualBlock(nn.Module):
    """Two `NormConv`, the step's encoding added between, and a shortcut."""

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        time_channels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.SiLU(), nn.Linear(time_channels, out_channels)
        )
        self.block1 = NormConv(ndim, in_channels, out_channels, dropout)
        self.block2 = NormConv(ndim, out_channels, out_channels, dropout)
        self.res_conv = (
            nn.Identity()
            if in_channels == out_channels
            else convolution(ndim)(in_channels, out_channels, 1)
        )

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, *shape)."""
        shift = self.mlp(time)
        inner = self.block1(x) + shift.view(*shift.shape, *[1] * (x.ndim - 2))
        out: Tensor = self.block2(inner) + self.res_conv(x)
        return out


class Attention(nn.Module):
    """Residual self-attention over all positions.

    Softmax attention with one head in 2D. In 3D, where the number of
    positions forbids it, linear attention with four heads.

    References
    ----------
    Shen et al., "Efficient Attention: Attention with Linear Complexities",
    WACV 2021 (the linear one).
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.heads = 1 if ndim == 2 else _LINEAR_HEADS
        self.norm = group_norm(ndim, channels)
        self.qkv = convolution(ndim)(channels, 3 * channels, 1, bias=False)
        self.out = convolution(ndim)(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, *shape) to the same shape."""
        split = self.qkv(self.norm(x)).flatten(2)
        query, key, value = split.unflatten(1, (3, self.heads, -1)).unbind(1)
        attend = softmax_attention if self.heads == 1 else linear_attention
        out: Tensor = self.out(attend(query, key, value).reshape(x.shape))
        return x + out


def softmax_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend over the last axis of (N, heads, C, positions)."""
    mixed = F.scaled_dot_product_attention(
        query.transpose(-1, -2),
        key.transpose(-1, -2),
        value.transpose(-1, -2),
    )
    return mixed.transpose(-1, -2)


def linear_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend over the last axis at linear cost, without a scale."""
    context = key.softmax(-1) @ value.transpose(-1, -2)
    return context.transpose(-1, -2) @ query


class ConditionedBlock(nn.Module):
    """Residual block, with attention after it or not."""

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        time_channels: int,
        dropout: float,
        attends: bool,
    ) -> None:
        super().__init__()
        self.res_block = ResidualBlock(
            ndim, in_channels, out_channels, time_channels, dropout
        )
        self.attn = Attention(ndim, out_channels) if attends else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, *shape)."""
        out: Tensor = self.attn(self.res_block(x, time))
        return out


class Downsample(nn.Module):
    """Convolution of stride two."""

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.conv = convolution(ndim)(
            channels, channels, 3, stride=2, padding=1
        )

    def forward(self, x: Tensor) -> Tensor:
        """Halve the shape of (N, C, *shape)."""
        out: Tensor = self.conv(x)
        return out


class Upsample(nn.Module):
    """Nearest upsampling by two and a convolution."""

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.conv = convolution(ndim)(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Double the shape of (N, C, *shape)."""
        grown = F.interpolate(x, scale_factor=2, mode='nearest')
        out: Tensor = self.conv(grown)
        return out
