"""Score network of DiffuseMorph: a U-Net told the step of the diffusion.

Module names equal those of the authors' code, so that its state dicts load.

References
----------
Kim et al., "DiffuseMorph: Unsupervised Deformable Image Registration Using
Diffusion Model", ECCV 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.diffusion_blocks import (
    ConditionedBlock,
    Downsample,
    NormConv,
    TimeEncoding,
    Upsample,
)

_IN_CHANNELS = 3


class ScoreUNet(nn.Module):
    """Estimate the noise in a noisy fixed image, given the clean pair.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    features : int
        Channels of the first level.
    multipliers : sequence of int
        Channels of each level in units of `features`.
    attention : sequence of bool
        Which levels attend; the bottom always does.
    blocks : int
        Residual blocks per level of the encoder; the decoder has one more.
    dropout : float
        Rate while training.

    Notes
    -----
    Every axis must be a multiple of ``2 ** (len(multipliers) - 1)``.
    """

    def __init__(
        self,
        ndim: int,
        features: int,
        multipliers: Sequence[int],
        attention: Sequence[bool],
        blocks: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.size_multiple = 2 ** (len(multipliers) - 1)
        self.time_mlp = nn.Sequential(
            TimeEncoding(features),
            nn.Linear(features, 4 * features),
            nn.SiLU(),
            nn.Linear(4 * features, features),
        )
        block = partial(
            ConditionedBlock, ndim, time_channels=features, dropout=dropout
        )
        widths = [factor * features for factor in multipliers]
        first = convolution(ndim)(_IN_CHANNELS, features, 3, padding=1)
        self.downs = nn.ModuleList([first])
        skips = [features]
        for level, width in enumerate(widths):
            for _ in range(blocks):
                self.downs.append(
                    block(skips[-1], width, attends=attention[level])
                )
                skips.append(width)
            if level < len(widths) - 1:
                self.downs.append(Downsample(ndim, width))
                skips.append(width)
        bottom = widths[-1]
        self.mid = nn.ModuleList(
            block(bottom, bottom, attends=attends) for attends in (True, False)
        )
        self.ups = _decoder(ndim, block, widths, skips, attention, blocks + 1)
        self.final_conv = NormConv(ndim, widths[0], 1)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        """Estimate the noise.

        Parameters
        ----------
        x : (N, 3, *shape) torch.Tensor
            Moving, fixed and noisy fixed image.
        step : (N,) torch.Tensor of int
            Step of the diffusion that the noise belongs to.

        Returns
        -------
        (N, 1, *shape) torch.Tensor
            Noise of unit variance.
        """
        time = self.time_mlp(step)
        skips = []
        for layer in self.downs:
            conditioned = isinstance(layer, ConditionedBlock)
            x = layer(x, time) if conditioned else layer(x)
            skips.append(x)
        for layer in self.mid:
            x = layer(x, time)
        for layer in self.ups:
            if isinstance(layer, ConditionedBlock):
                x = layer(torch.cat([x, skips.pop()], dim=1), time)
            else:
                x = layer(x)
        out: Tensor = self.final_conv(x)
        return out


def _decoder(
    ndim: int,
    block: Callable[..., ConditionedBlock],
    widths: Sequence[int],
    skips: Sequence[int],
    attention: Sequence[bool],
    blocks: int,
) -> nn.ModuleList:
    """Return the layers that go up, each block fed with one of the skips."""
    layers, remaining = nn.ModuleList(), list(skips)
    channels = widths[-1]
    for level in reversed(range(len(widths))):
        for _ in range(blocks):
            layers.append(
                block(
                    channels + remaining.pop(),
                    widths[level],
                    attends=attention[level],
                )
            )
            channels = widths[level]
        if level > 0:
            layers.append(Upsample(ndim, channels))
    return layers
