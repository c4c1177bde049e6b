"""The VoxelMorph U-Net, shared by all convolutional estimators.

Module names equal those of VoxelMorph 0.2, so that its state dicts load.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.convolution import convolution

ENCODER = (16, 32, 32, 32)
DECODER = (32, 32, 32, 32, 32, 16, 16)


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
    encoder, decoder : sequence of int, optional
        Features of every convolution going down, and going up followed by
        those of the tail: decoder entries beyond the number of encoder
        entries form the tail. Those of VoxelMorph if omitted.
    nb_features, nb_levels, feat_mult
        Instead of lists, see `features_by_level`.
    nb_conv_per_level : int, default: 1
        Convolutions of each level.
    max_pool : int or sequence of int, default: 2
        Factor between neighbouring levels, the finest first.
    half_res : bool, default: False
        Whether to leave out the last upsampling and its skip connection:
        the output is then coarser by the first factor.

    Attributes
    ----------
    size_multiple : int
        Every axis of the input must be a multiple of this.
    output_step : int
        Size of a voxel of the output in voxels of the input.

    Raises
    ------
    ModelError
        If the lists do not fit each other.

    References
    ----------
    Balakrishnan et al., "VoxelMorph", IEEE TMI 38(8), 2019, Fig. 3.
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        encoder: Sequence[int] | None = None,
        decoder: Sequence[int] | None = None,
        *,
        nb_features: int | None = None,
        nb_levels: int | None = None,
        feat_mult: float = 1.0,
        nb_conv_per_level: int = 1,
        max_pool: int | Sequence[int] = 2,
        half_res: bool = False,
    ) -> None:
        super().__init__()
        if nb_features is not None:
            if encoder is not None or decoder is not None:
                raise ModelError(
                    "'nb_features' takes the place of 'encoder' and "
                    "'decoder'.",
                    'Give either the number or the lists.',
                )
            encoder, decoder = features_by_level(
                nb_features, nb_levels, feat_mult, nb_conv_per_level
            )
        elif nb_levels is not None:
            raise ModelError("'nb_levels' needs 'nb_features'.")
        down = _levels(encoder or ENCODER, nb_conv_per_level)
        up, tail = _decoder(decoder or DECODER, down, nb_conv_per_level)
        self.factors = _factors(max_pool, len(down))
        self.size_multiple = math.prod(self.factors)
        self.half_res = half_res
        self.output_step = self.factors[0] if half_res else 1
        pool = nn.MaxPool2d if ndim == 2 else nn.MaxPool3d
        self.pooling = nn.ModuleList(pool(f) for f in self.factors)
        # What was pooled last is upsampled first.
        self.upsampling = nn.ModuleList(
            nn.Upsample(scale_factor=f, mode='nearest')
            for f in reversed(self.factors)
        )
        self._add_blocks(ndim, in_channels, down, up, tail)

    def _add_blocks(
        self,
        ndim: int,
        channels: int,
        down: list[list[int]],
        up: list[list[int]],
        tail: Sequence[int],
    ) -> None:
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        for features in down:
            self.encoder.append(_chain(ndim, channels, features))
            channels = features[-1]
        skips = [features[-1] for features in down]
        for level, features in enumerate(up):
            self.decoder.append(_chain(ndim, channels, features))
            channels = features[-1]
            if self.grows_after(level):
                channels += skips.pop()
        self.remaining = _chain(ndim, channels, tail)
        self.out_channels = tail[-1] if tail else channels

    def grows_after(self, level: int) -> bool:
        """Whether a level of the decoder is upsampled and gets a skip."""
        return not self.half_res or level < len(self.factors) - 1

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, ...)."""
        skips = []
        for level, pool in zip(self.encoder, self.pooling, strict=True):
            for block in level:  # type: ignore[attr-defined]
                x = block(x)
            skips.append(x)
            x = pool(x)
        for i, level in enumerate(self.decoder):
            for block in level:  # type: ignore[attr-defined]
                x = block(x)
            if self.grows_after(i):
                x = torch.cat([self.upsampling[i](x), skips.pop()], dim=1)
        for block in self.remaining:
            x = block(x)
        return x


def features_by_level(
    nb_features: int,
    nb_levels: int | None,
    feat_mult: float = 1.0,
    nb_conv_per_level: int = 1,
) -> tuple[list[int], list[int]]:
    """Return encoder and decoder features that grow from level to level.

    Parameters
    ----------
    nb_features : int
        Features of the finest level.
    nb_levels : int
        Number of levels, the coarsest included.
    feat_mult : float, default: 1.0
        Factor from a level to the next coarser one.
    nb_conv_per_level : int, default: 1
        Convolutions of each level.

    Raises
    ------
    ModelError
        If there are fewer than two levels.
    """
    if nb_levels is None or nb_levels < 2:
        raise ModelError("'nb_features' needs 'nb_levels' of 2 or more.")
    levels = [round(nb_features * feat_mult**k) for k in range(nb_levels)]
    encoder = [n for n in levels[:-1] for _ in range(nb_conv_per_level)]
    decoder = [n for n in reversed(levels) for _ in range(nb_conv_per_level)]
    return encoder, decoder


def _chain(ndim: int, channels: int, features: Sequence[int]) -> nn.ModuleList:
    inputs = [channels, *features][: len(features)]
    return nn.ModuleList(
        ConvBlock(ndim, i, o) for i, o in zip(inputs, features, strict=True)
    )


def _levels(features: Sequence[int], per_level: int) -> list[list[int]]:
    if per_level < 1 or len(features) % per_level:
        raise ModelError(
            f'{len(features)} encoder features do not make whole levels of '
            f'{per_level} convolutions.',
            "Change 'encoder' or 'nb_conv_per_level'.",
        )
    values = list(features)
    return [
        values[i : i + per_level] for i in range(0, len(values), per_level)
    ]


def _decoder(
    features: Sequence[int], down: list[list[int]], per_level: int
) -> tuple[list[list[int]], list[int]]:
    count = len(down) * per_level
    if len(features) < count:
        raise ModelError(
            f'{len(features)} decoder features are fewer than the {count} of '
            'the encoder.',
            "Give 'decoder' at least as many as 'encoder'.",
        )
    values = list(features)
    return _levels(values[:count], per_level), values[count:]


def _factors(max_pool: int | Sequence[int], levels: int) -> tuple[int, ...]:
    if isinstance(max_pool, int):
        return (max_pool,) * levels
    # VoxelMorph accepts a last entry for the coarsest level, never pooled.
    if len(max_pool) not in (levels, levels + 1):
        raise ModelError(
            f"'max_pool' has {len(max_pool)} factors for {levels} levels.",
            'Give one factor, or one for each level.',
        )
    return tuple(int(f) for f in max_pool[:levels])
