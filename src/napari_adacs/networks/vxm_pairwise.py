"""VoxelMorph 0.3 (`VxmPairwise`), 2D and 3D.

The network that the VoxelMorph package builds since its version 0.3: another
U-Net (ReLU, linear upsampling, a convolution at the lowest resolution), a
separate layer for the velocity, and integration at full resolution. Module
names equal those of the package, so that its state dicts load.

References
----------
Balakrishnan et al., "VoxelMorph: A Learning Framework for Deformable
Medical Image Registration", IEEE TMI 38(8), 2019.
Dalca et al., "Unsupervised Learning of Probabilistic Diffeomorphic
Registration for Images and Surfaces", MedIA 57, 2019 (the integration).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.integrated import OnePassEstimator

FEATURES = (16, 16, 16, 16, 16)
_FLOW_INIT_SD = 1e-5


class Conv(nn.Module):
    """Convolution, with or without ReLU."""

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        size: int = 3,
        relu: bool = False,
    ) -> None:
        super().__init__()
        self.relu = relu
        self.conv0 = convolution(ndim)(
            in_channels, out_channels, size, padding=size // 2
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, *shape)."""
        out: Tensor = self.conv0(x)
        return F.relu(out) if self.relu else out


class Block(nn.Module):
    """A convolution under the name that a level gives it."""

    def __init__(self, ndim: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_block = Conv(ndim, in_channels, out_channels, relu=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, *shape)."""
        out: Tensor = self.conv_block(x)
        return out


class BasicUNet(nn.Module):
    """U-Net with max-pooling and linear upsampling.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    encoder : sequence of int
        Features at full resolution and after each halving but the last.
    decoder : sequence of int
        Features at the lowest resolution, which the first doubling keeps,
        and after each doubling.
    """

    def __init__(
        self, ndim: int, encoder: Sequence[int], decoder: Sequence[int]
    ) -> None:
        super().__init__()
        self.linear = 'bilinear' if ndim == 2 else 'trilinear'
        self.pool = F.max_pool2d if ndim == 2 else F.max_pool3d
        inputs = [2, *encoder[:-1]]
        self.downsampling_conv_blocks = nn.ModuleList(
            Block(ndim, *channels)
            for channels in zip(inputs, encoder, strict=True)
        )
        self.lowest_resolution_conv_block = Conv(
            ndim, encoder[-1], decoder[0], relu=True
        )
        inputs = [decoder[0], *decoder[:-1]]
        self.upsampling_conv_blocks = nn.ModuleList(
            Block(ndim, below + skip, features)
            for below, skip, features in zip(
                inputs, reversed(encoder), decoder, strict=True
            )
        )
        self.out_layer = Conv(ndim, decoder[-1], ndim, size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 2, *shape) to (N, ndim, *shape)."""
        skips = []
        for block in self.downsampling_conv_blocks:
            skips.append(block(x))
            x = self.pool(skips[-1], 2)
        x = self.lowest_resolution_conv_block(x)
        for block in self.upsampling_conv_blocks:
            x = F.interpolate(
                x, scale_factor=2, mode=self.linear, align_corners=True
            )
            x = block(torch.cat([x, skips.pop()], dim=1))
        out: Tensor = self.out_layer(x)
        return out


class VxmPairwise(OnePassEstimator):
    """VoxelMorph 0.3.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int
        See `BasicUNet`; as many of one as of the other.
    int_steps : int, default: 5
        Squarings of the integration; 0 makes the output the displacement
        itself.
    int_downsize : int, default: 1
        Factor by which the velocity is shrunk before integration; the
        package integrates at full resolution.

    Notes
    -----
    Images of any shape are padded to multiples of ``2 ** len(encoder)``.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] = FEATURES,
        decoder: Sequence[int] = FEATURES,
        int_steps: int = 5,
        int_downsize: int = 1,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
        self.size_multiple = math.lcm(2 ** len(encoder), self.int_downsize)
        self.model = BasicUNet(ndim, encoder, decoder)
        self.flow_layer = Conv(ndim, ndim, ndim)
        nn.init.normal_(self.flow_layer.conv0.weight, 0.0, _FLOW_INIT_SD)
        assert self.flow_layer.conv0.bias is not None
        nn.init.zeros_(self.flow_layer.conv0.bias)

    def emit(self, pair: Tensor) -> Tensor:
        """Map moving and fixed (N, 2, *shape) to (N, ndim, *shape)."""
        flow: Tensor = self.flow_layer(self.model(pair))
        return flow
