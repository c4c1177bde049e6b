"""VoxelMorph as first published: strided encoder, input as last skip.

VM-1 and VM-2 of the CVPR paper, the diffeomorphic network of the MICCAI paper
and the first PyTorch version share this topology. Later VoxelMorph pools
instead of striding and does not show the input to the decoder: the weights of
one do not fit the other.

References
----------
Balakrishnan et al., "An Unsupervised Learning Model for Deformable Medical
Image Registration", CVPR 2018, Fig. 3 (VM-1, VM-2).
Dalca et al., "Unsupervised Learning for Fast Probabilistic Diffeomorphic
Registration", MICCAI 2018 (half resolution, integration).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.integrated import OnePassEstimator
from napari_adacs.networks.unet import ENCODER

_FLOW_INIT_SD = 1e-5
_SLOPE = 0.2

# VM-2; VM-1 ends with (32, 8) at half resolution and (8,) at full.
DECODER = ((32,), (32,), (32,), (32, 32))
TAIL = (16, 16)


class StridedConv(nn.Module):
    """Convolution 3^ndim of stride two, LeakyReLU(0.2).

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    in_channels, out_channels : int
        Channel counts.
    padding : {'after', 'both'}
        Where zeros go: behind each axis, as Keras does for an even size, or
        on both sides, as PyTorch does. The samples differ by one voxel.
    """

    def __init__(
        self, ndim: int, in_channels: int, out_channels: int, padding: str
    ) -> None:
        super().__init__()
        self.after = [0, 1] * ndim if padding == 'after' else []
        self.main = convolution(ndim)(
            in_channels,
            out_channels,
            3,
            stride=2,
            padding=0 if self.after else 1,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, *shape) to half the shape."""
        x = F.pad(x, self.after) if self.after else x
        return F.leaky_relu(self.main(x), _SLOPE)


class Conv(nn.Module):
    """Convolution 3^ndim, LeakyReLU(0.2)."""

    def __init__(self, ndim: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.main = convolution(ndim)(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, *shape) to the same shape."""
        return F.leaky_relu(self.main(x), _SLOPE)


class VoxelMorph2018(OnePassEstimator):
    """U-Net with a strided encoder.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder : sequence of int
        Features after each halving.
    decoder : sequence of sequence of int
        Features of the convolutions at each resolution going up, the lowest
        first; a doubling and a skip connection follow each.
    tail : sequence of int
        Features of the convolutions at full resolution, which see the input.
    padding : {'after', 'both'}
        See `StridedConv`.
    int_steps : int, default: 0
        Squarings of the integration; 0, as in VM-1 and VM-2, makes the
        output the displacement itself.
    int_downsize : int, default: 2
        Factor by which the velocity is shrunk before integration; ignored
        without integration.
    half_res : bool, default: False
        Whether the decoder ends at half resolution; the velocity then needs
        no shrinking, and there is no tail.

    Notes
    -----
    Images of any shape are padded to multiples of ``2 ** len(encoder)``.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] = ENCODER,
        decoder: Sequence[Sequence[int]] = DECODER,
        tail: Sequence[int] = TAIL,
        padding: str = 'after',
        int_steps: int = 0,
        int_downsize: int = 2,
        half_res: bool = False,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
        _check(encoder, decoder, tail, padding, half_res, self.int_downsize)
        self.half_res = half_res
        if half_res:
            self.emitted_step = self.int_downsize
        self.size_multiple = math.lcm(2 ** len(encoder), self.int_downsize)
        self.encoder = nn.ModuleList()
        widths = [2]
        for features in encoder:
            self.encoder.append(
                StridedConv(ndim, widths[-1], features, padding)
            )
            widths.append(features)
        self.decoder = nn.ModuleList()
        channels = widths.pop()
        for level in decoder:
            convs = nn.ModuleList()
            for features in level:
                convs.append(Conv(ndim, channels, features))
                channels = features
            self.decoder.append(convs)
            if len(self.decoder) < len(decoder) or not half_res:
                channels += widths.pop()
        self.tail = nn.ModuleList()
        for features in tail:
            self.tail.append(Conv(ndim, channels, features))
            channels = features
        self.flow = _head(ndim, channels)

    def emit(self, pair: Tensor) -> Tensor:
        """Map moving and fixed (N, 2, *shape) to what the head emits."""
        skips = [pair]
        for down in self.encoder:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for level, convs in enumerate(self.decoder, start=1):
            for conv in convs:  # type: ignore[attr-defined]
                x = conv(x)
            if level < len(self.decoder) or not self.half_res:
                up = F.interpolate(x, scale_factor=2.0, mode='nearest')
                x = torch.cat([up, skips.pop()], dim=1)
        for conv in self.tail:
            x = conv(x)
        flow: Tensor = self.flow(x)
        return flow


def _head(ndim: int, channels: int) -> nn.Conv2d | nn.Conv3d:
    """Return the layer of the flow, which starts close to zero."""
    flow = convolution(ndim)(channels, ndim, 3, padding=1)
    nn.init.normal_(flow.weight, 0.0, _FLOW_INIT_SD)
    assert flow.bias is not None
    nn.init.zeros_(flow.bias)
    return flow


def _check(
    encoder: Sequence[int],
    decoder: Sequence[Sequence[int]],
    tail: Sequence[int],
    padding: str,
    half_res: bool,
    int_downsize: int,
) -> None:
    """Refuse options that describe no network."""
    levels = len(encoder)
    if len(decoder) != levels or not all(decoder):
        raise ModelError(
            f'The decoder needs convolutions at each of {levels} resolutions.'
        )
    if padding not in ('after', 'both'):
        raise ModelError(f"The padding is 'after' or 'both', not '{padding}'.")
    if half_res and (tail or int_downsize != 2):
        raise ModelError(
            'A decoder that ends at half resolution has no tail, and its '
            'velocity is integrated there.',
            "Leave 'tail' empty, with int_steps above 0 and int_downsize 2.",
        )
