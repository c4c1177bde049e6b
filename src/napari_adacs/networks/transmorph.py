"""TransMorph displacement estimator, 2D and 3D.

Module names equal those of the authors' code, so that its state dicts load;
``relative_position_index`` is stored, sampling grids are not.

References
----------
Chen et al., "TransMorph: Transformer for unsupervised medical image
registration", MedIA 82, 2022.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.integrated import OnePassEstimator
from napari_adacs.networks.options import changed
from napari_adacs.networks.swin import PATCH, SwinTransformer
from napari_adacs.spatial.operators import linear_mode

_HEAD_CHANNELS = 16
_FLOW_INIT_SD = 1e-5


@dataclass(frozen=True)
class TransMorphConfig:
    """Sizes of a TransMorph.

    Parameters
    ----------
    dim : int
        Channels of the first stage.
    depths, heads : tuple of int
        Blocks and attention heads of the four stages.
    window : tuple of int, optional
        Tokens per axis of a window; that of the paper if None.
    trans_skip : bool
        Whether the decoder sees the features of the transformer.
    conv_skip : bool
        Whether the decoder sees convolutions of the images.
    drop_path : float
        Rate of stochastic depth at the last block, while training.
    """

    dim: int = 96
    depths: tuple[int, ...] = (2, 2, 4, 2)
    heads: tuple[int, ...] = (4, 4, 8, 8)
    window: tuple[int, ...] | None = None
    trans_skip: bool = True
    conv_skip: bool = True
    drop_path: float = 0.3


WINDOWS = {2: (8, 8), 3: (5, 6, 7)}

VARIANTS: dict[str, TransMorphConfig] = {
    'base': TransMorphConfig(),
    'tiny': TransMorphConfig(dim=6, heads=(2, 2, 4, 4)),
    'small': TransMorphConfig(dim=48, heads=(4, 4, 4, 4)),
    'large': TransMorphConfig(
        dim=128, depths=(2, 2, 12, 2), heads=(4, 4, 8, 16)
    ),
    'no-conv-skip': TransMorphConfig(conv_skip=False),
    'no-trans-skip': TransMorphConfig(trans_skip=False),
    'no-skip': TransMorphConfig(trans_skip=False, conv_skip=False),
}


def configuration(
    ndim: int, variant: str, changes: dict[str, Any]
) -> TransMorphConfig:
    """Return a variant with some of its fields changed.

    Raises
    ------
    ModelError
        If there is no such variant, or the window has other axes.
    TypeError
        If there is no such field.
    """
    if variant not in VARIANTS:
        raise ModelError(
            f"There is no TransMorph called '{variant}'.",
            f'Known variants: {", ".join(VARIANTS)}.',
        )
    chosen = changed(VARIANTS[variant], changes)
    if chosen.window is None:
        chosen = replace(chosen, window=WINDOWS[ndim])
    if len(chosen.window or ()) != ndim:
        raise ModelError(
            f'The window {chosen.window} of a {ndim}D TransMorph must have '
            f'{ndim} axes.'
        )
    return chosen


def conv_block(ndim: int, in_channels: int, out_channels: int) -> nn.Module:
    """Return convolution 3^ndim, instance normalisation and LeakyReLU."""
    norm = nn.InstanceNorm2d if ndim == 2 else nn.InstanceNorm3d
    return nn.Sequential(
        convolution(ndim)(in_channels, out_channels, 3, padding=1, bias=False),
        norm(out_channels),
        nn.LeakyReLU(0.01),
    )


class DecoderBlock(nn.Module):
    """Linear upsampling by two, skip connection, two convolutions."""

    def __init__(
        self, ndim: int, in_channels: int, skip: int, out_channels: int
    ) -> None:
        super().__init__()
        self.mode = linear_mode(ndim)
        self.conv1 = conv_block(ndim, in_channels + skip, out_channels)
        self.conv2 = conv_block(ndim, out_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """Map (N, C, *shape) to twice the shape."""
        x = F.interpolate(x, scale_factor=2, mode=self.mode)
        if skip is not None:
            x = torch.cat([x, skip], dim=1)
        out: Tensor = self.conv2(self.conv1(x))
        return out


class TransMorph(OnePassEstimator):
    """Swin transformer encoder, convolutional decoder, displacement head.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    variant : str, default: 'base'
        Name in `VARIANTS`.
    int_steps : int, default: 0
        Squarings of the integration. 0, as published, makes the output the
        displacement itself; more take it for a stationary velocity, which
        makes the map invertible.
    int_downsize : int, default: 2
        Factor by which the velocity is shrunk before integration; ignored
        without integration.
    **changes
        Fields of `TransMorphConfig` that differ from the variant.

    Notes
    -----
    Inside, every axis is a multiple of 32. Without convolutional skips the
    layers ``c1`` and ``c2`` exist and do nothing, as in the authors' code.
    """

    def __init__(
        self,
        ndim: int,
        variant: str = 'base',
        int_steps: int = 0,
        int_downsize: int = 2,
        **changes: Any,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
        self.config = config = configuration(ndim, variant, changes)
        self.size_multiple = math.lcm(
            PATCH * 2 ** (len(config.depths) - 1), self.int_downsize
        )
        self.transformer = SwinTransformer(
            config.window or WINDOWS[ndim],
            2,
            config.dim,
            config.depths,
            config.heads,
            config.drop_path,
        )
        self._add_decoder(ndim, config)
        flow = convolution(ndim)(_HEAD_CHANNELS, ndim, 3, padding=1)
        nn.init.normal_(flow.weight, 0.0, _FLOW_INIT_SD)
        assert flow.bias is not None
        nn.init.zeros_(flow.bias)
        self.reg_head = nn.Sequential(flow)

    def _add_decoder(self, ndim: int, config: TransMorphConfig) -> None:
        dim, half = config.dim, config.dim // 2
        trans, conv = int(config.trans_skip), int(config.conv_skip)
        self.up0 = DecoderBlock(ndim, 8 * dim, trans * 4 * dim, 4 * dim)
        self.up1 = DecoderBlock(ndim, 4 * dim, trans * 2 * dim, 2 * dim)
        self.up2 = DecoderBlock(ndim, 2 * dim, trans * dim, dim)
        self.up3 = DecoderBlock(ndim, dim, conv * half, half)
        self.up4 = DecoderBlock(
            ndim, half, conv * _HEAD_CHANNELS, _HEAD_CHANNELS
        )
        self.c1 = conv_block(ndim, 2, half)
        self.c2 = conv_block(ndim, 2, _HEAD_CHANNELS)

    def emit(self, pair: Tensor) -> Tensor:
        """Map moving and fixed (N, 2, *shape) to (N, ndim, *shape)."""
        stages = self.transformer(pair)
        x = stages.pop()
        for up in (self.up0, self.up1, self.up2):
            skip = stages.pop()
            x = up(x, skip if self.config.trans_skip else None)
        x = self.up3(x, self._half(pair) if self.config.conv_skip else None)
        x = self.up4(x, self.c2(pair) if self.config.conv_skip else None)
        flow: Tensor = self.reg_head(x)
        return flow

    def _half(self, pair: Tensor) -> Tensor:
        pool = F.avg_pool2d if self.ndim == 2 else F.avg_pool3d
        out: Tensor = self.c1(pool(pair, 3, stride=2, padding=1))
        return out
