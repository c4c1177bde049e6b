"""The VoxelMorph U-Net, shared by all convolutional estimators.

Module names equal those of VoxelMorph 0.2, so that its state dicts load.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ENCODER = (16, 32, 32, 32)
DECODER = (32, 32, 32, 32, 32, 16, 16)


def convolution(ndim: int) -> type[nn.Conv2d] | type[nn.Conv3d]:
    """Return the convolution class for `ndim` spatial axes."""
    return nn.Conv2d if ndim == 2 else nn.Conv3d


class ConvBlock(nn.Module):
    """Convolution 3^ndim followed by LeakyReLU(0.2).

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    in_channels, out_channels : int
        Channel counts.
    """

    def __init__(self, ndim: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.main = convolution(ndim)(in_channels, out_channels, 3, padding=1)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to (N, C, *shape)."""
        out: Tensor = self.activation(self.main(x))
        return out


class UNet(nn.Module):
    """U-Net with max-pooling, nearest upsampling and full-resolution tail.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    in_channels : int
        Input channels.
    encoder, decoder : sequence of int
        Features per level going down, and going up followed by those of the
        full-resolution tail. Decoder entries beyond the number of levels
        form the tail.

    Notes
    -----
    Every axis must be a multiple of ``2 ** len(encoder)``.

    References
    ----------
    Balakrishnan et al., "VoxelMorph", IEEE TMI 38(8), 2019, Fig. 3.
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        encoder: Sequence[int] = ENCODER,
        decoder: Sequence[int] = DECODER,
    ) -> None:
        super().__init__()
        levels = len(encoder)
        self.size_multiple = 2**levels
        self.pooling = nn.MaxPool2d(2) if ndim == 2 else nn.MaxPool3d(2)
        self.upsampling = nn.Upsample(scale_factor=2, mode='nearest')

        self.encoder = nn.ModuleList()
        channels, skips = in_channels, []
        for features in encoder:
            self.encoder.append(
                nn.ModuleList([ConvBlock(ndim, channels, features)])
            )
            channels = features
            skips.append(features)
        self.decoder = nn.ModuleList()
        for features in decoder[:levels]:
            self.decoder.append(
                nn.ModuleList([ConvBlock(ndim, channels, features)])
            )
            channels = features + skips.pop()
        self.remaining = nn.ModuleList()
        for features in decoder[levels:]:
            self.remaining.append(ConvBlock(ndim, channels, features))
            channels = features
        self.out_channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, *shape)."""
        skips = []
        for level in self.encoder:
            for block in level:  # type: ignore[attr-defined]
                x = block(x)
            skips.append(x)
            x = self.pooling(x)
        for level in self.decoder:
            for block in level:  # type: ignore[attr-defined]
                x = block(x)
            x = torch.cat([self.upsampling(x), skips.pop()], dim=1)
        for block in self.remaining:
            x = block(x)
        return x
