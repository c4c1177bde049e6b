"""Field network of DiffuseMorph: moving image and score to displacement.

Module names equal those of the authors' code, so that its state dicts load.

References
----------
Kim et al., "DiffuseMorph: Unsupervised Deformable Image Registration Using
Diffusion Model", ECCV 2022.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_adacs.networks.convolution import convolution

_IN_CHANNELS = 2


class ConvBlock(nn.Module):
    """Two convolutions 3^ndim in 2D, one in 3D, each with LeakyReLU(0.2)."""

    def __init__(
        self, ndim: int, in_channels: int, out_channels: int, stride: int = 1
    ) -> None:
        super().__init__()
        conv = convolution(ndim)
        layers: list[nn.Module] = [
            conv(in_channels, out_channels, 3, stride=stride, padding=1),
            nn.LeakyReLU(0.2),
        ]
        if ndim == 2:
            layers += [
                conv(out_channels, out_channels, 3, padding=1),
                nn.LeakyReLU(0.2),
            ]
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, ...)."""
        out: Tensor = self.block(x)
        return out


class EncoderBlock(nn.Module):
    """Convolutions, the first of stride one or two."""

    def __init__(
        self, ndim: int, in_channels: int, out_channels: int, stride: int
    ) -> None:
        super().__init__()
        self.block = ConvBlock(ndim, in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, ...)."""
        out: Tensor = self.block(x)
        return out


class UpBlock(nn.Module):
    """Transposed convolution of stride two, skip connection, convolutions."""

    def __init__(
        self, ndim: int, in_channels: int, skip: int, out_channels: int
    ) -> None:
        super().__init__()
        kind = nn.ConvTranspose2d if ndim == 2 else nn.ConvTranspose3d
        self.upconv = kind(
            in_channels, in_channels, 3, stride=2, padding=1, output_padding=1
        )
        self.block = ConvBlock(ndim, skip + in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Map (N, C, *shape) to twice the shape."""
        out: Tensor = self.block(torch.cat([skip, self.upconv(x)], dim=1))
        return out


class OutputConv(nn.Module):
    """Convolution 3^ndim without activation."""

    def __init__(self, ndim: int, in_channels: int) -> None:
        super().__init__()
        self.block = convolution(ndim)(in_channels, ndim, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, ndim, *shape)."""
        out: Tensor = self.block(x)
        return out


class FieldUNet(nn.Module):
    """U-Net from the moving image and the scaled score to a flow.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder : sequence of 5 int
        Features at full resolution and after each halving.
    decoder : sequence of 5 int
        Features after each doubling, with one block that keeps the
        resolution between the third and the fourth.

    Notes
    -----
    Every axis must be a multiple of 16.
    """

    size_multiple = 16

    def __init__(
        self, ndim: int, encoder: Sequence[int], decoder: Sequence[int]
    ) -> None:
        super().__init__()
        e, d = encoder, decoder
        self.inconv = EncoderBlock(ndim, _IN_CHANNELS, e[0], stride=1)
        self.downconv1 = EncoderBlock(ndim, e[0], e[1], stride=2)
        self.downconv2 = EncoderBlock(ndim, e[1], e[2], stride=2)
        self.downconv3 = EncoderBlock(ndim, e[2], e[3], stride=2)
        self.downconv4 = EncoderBlock(ndim, e[3], e[4], stride=2)
        self.upconv1 = UpBlock(ndim, e[4], e[3], d[0])
        self.upconv2 = UpBlock(ndim, d[0], e[2], d[1])
        self.upconv3 = UpBlock(ndim, d[1], e[1], d[2])
        self.keepblock = ConvBlock(ndim, d[2], d[3])
        self.upconv4 = UpBlock(ndim, d[3], e[0], d[4])
        self.outconv = OutputConv(ndim, d[4])

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 2, *shape) to the flow (N, ndim, *shape)."""
        full = self.inconv(x)
        half = self.downconv1(full)
        quarter = self.downconv2(half)
        eighth = self.downconv3(quarter)
        x = self.upconv1(self.downconv4(eighth), eighth)
        x = self.upconv3(self.upconv2(x, quarter), half)
        out: Tensor = self.outconv(self.upconv4(self.keepblock(x), full))
        return out
