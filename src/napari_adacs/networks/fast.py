"""The same networks, faster on a CPU: equal results up to rounding.

PyTorch sends a convolution of one image with few channels, fewer than 20480
values in batch, channels and the first two axes, to an implementation that
is several times slower than oneDNN's. Inside `accelerated` all convolutions
go to oneDNN, in the memory layout it prefers (channels last), with the
activation in the same pass. In U-Nets, nearest upsampling and the
convolution after it become one transposed convolution, which needs 8 of 27
products in 3D and 4 of 9 in 2D.

Nothing is trained or stored in this form: weights and names stay as they
are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_adacs.networks.fast_norm import group_norm, instance_norm
from napari_adacs.networks.unet import ConvBlock, UNet

# What a U-Net hands from one level to the next finer one: features to be
# upsampled by two, and those of the skip connection.
_Pair = tuple[Tensor, Tensor]
_WEIGHTS_PER_VALUE = 3


@contextlib.contextmanager
def accelerated(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Let networks compute faster for a while, without gradients.

    Parameters
    ----------
    networks : iterable of torch.nn.Module
        On a CPU, in float32, in evaluation mode. They must not change
        meanwhile. On other devices, or where oneDNN is missing, they are
        left alone.
    """
    changed: list[nn.Module] = []
    try:
        for network in networks:
            if _suits(network):
                for module in network.modules():
                    faster = _faster(module)
                    if faster is not None:
                        module.forward = faster
                        changed.append(module)
        yield
    finally:
        for module in changed:
            del module.forward


def _suits(network: nn.Module) -> bool:
    weights = list(network.parameters())
    return onednn_works() and all(
        w.device.type == 'cpu' and w.dtype == torch.float32 for w in weights
    )


@cache
def onednn_works() -> bool:
    """Whether oneDNN's fused convolution exists here and is right."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    x, weight = torch.randn(1, 2, 4, 4, 4), torch.randn(3, 2, 3, 3, 3)
    expected = F.leaky_relu(F.conv3d(x, weight, padding=1), 0.2)
    try:
        with torch.inference_mode():
            found = _onednn(x, weight, None, (1,) * 3, (1,) * 3, slope=0.2)
    except (AttributeError, RuntimeError, TypeError):
        return False
    return torch.allclose(found, expected, atol=1e-4)


def _faster(module: nn.Module) -> Callable[..., Tensor] | None:
    if isinstance(module, UNet):
        return partial(_unet, module)
    if isinstance(module, ConvBlock):
        return _Block(module)
    # In 2D PyTorch already chooses well, but for the small convolutions of
    # U-Nets.
    if isinstance(module, nn.Conv3d) and _is_plain(module):
        return _Convolution(module)
    if isinstance(module, nn.InstanceNorm3d):
        return partial(instance_norm, module)
    if isinstance(module, nn.GroupNorm):
        return partial(group_norm, module)
    if isinstance(module, nn.LeakyReLU):
        # What it gets is the new result of a layer before it.
        return partial(F.leaky_relu_, negative_slope=module.negative_slope)
    return None


def _is_plain(conv: nn.Conv3d) -> bool:
    return conv.padding_mode == 'zeros' and not isinstance(conv.padding, str)


def channels_last(x: Tensor) -> Tensor:
    """Return the images with their channels next to each other."""
    layout = torch.channels_last if x.ndim == 4 else torch.channels_last_3d
    return x.contiguous(memory_format=layout)


class _Convolution:
    """A convolution by oneDNN, where that pays."""

    def __init__(self, conv: nn.Conv3d) -> None:
        self.conv = conv
        self.weight = channels_last(conv.weight)

    def __call__(self, x: Tensor) -> Tensor:
        """Map (N, C, *shape) to (N, out_channels, ...)."""
        conv = self.conv
        # Weights are brought into oneDNN's order at each call. At coarse
        # levels with many channels that costs more than the products.
        values = x.numel() * (1 + conv.out_channels / conv.in_channels)
        if _WEIGHTS_PER_VALUE * self.weight.numel() > values:
            return nn.Conv3d.forward(conv, x)
        return _onednn(
            channels_last(x),
            self.weight,
            conv.bias,
            conv.padding,
            conv.stride,
            conv.dilation,
            conv.groups,
        )


def _onednn(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Any,
    stride: Any,
    dilation: Any = None,
    groups: int = 1,
    slope: float | None = None,
) -> Tensor:
    """Convolve, with a LeakyReLU in the same pass if there is a slope."""
    kind, scalars = ('none', []) if slope is None else ('leaky_relu', [slope])
    out: Tensor = torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001
        x,
        weight,
        bias,
        list(padding),
        list(stride),
        list(dilation or [1] * len(stride)),
        groups,
        kind,
        scalars,
        '',
    )
    return out


class _Block:
    """A `ConvBlock` in one pass, also on features yet to be upsampled."""

    def __init__(self, block: ConvBlock) -> None:
        self.conv = block.main
        self.weight = channels_last(block.main.weight)
        self.slope = float(block.activation.negative_slope)
        self._split: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor | _Pair) -> Tensor:
        """Map (N, C, *shape), or a pair, to (N, out_channels, *shape)."""
        conv = self.conv
        if isinstance(x, Tensor):
            return _onednn(
                channels_last(x),
                self.weight,
                conv.bias,
                conv.padding,
                conv.stride,
                slope=self.slope,
            )
        coarse, skip = x
        grown, fine = self._kernels(coarse.shape[1])
        upsample = F.conv_transpose2d if skip.ndim == 4 else F.conv_transpose3d
        out = _onednn(skip, fine, conv.bias, conv.padding, conv.stride)
        out += upsample(coarse, grown, stride=2, padding=1)
        return F.leaky_relu_(out, self.slope)

    def _kernels(self, channels: int) -> tuple[Tensor, Tensor]:
        if self._split is None:
            weight = self.conv.weight
            self._split = (
                channels_last(upsampling_kernel(weight[:, :channels])),
                channels_last(weight[:, channels:]),
            )
        return self._split


def upsampling_kernel(weight: Tensor) -> Tensor:
    """Return the transposed convolution that also upsamples by two.

    Nearest upsampling is a transposed convolution with a kernel of two ones
    per axis; together with a kernel of three it is one with a kernel of
    four, of stride 2 and padding 1.

    Parameters
    ----------
    weight : (out_channels, in_channels, 3, ...) torch.Tensor
        Of a convolution with padding 1.

    Returns
    -------
    (in_channels, out_channels, 4, ...) torch.Tensor
        For `conv_transpose2d` or `conv_transpose3d`.
    """
    axes = list(range(2, weight.ndim))
    for axis in axes:
        zero = torch.zeros_like(weight.narrow(axis, 0, 1))
        weight = torch.cat([weight, zero], axis) + torch.cat(
            [zero, weight], axis
        )
    return weight.flip(axes).transpose(0, 1)


def _unet(unet: UNet, x: Tensor) -> Tensor:
    """Do as `UNet.forward`, upsampling inside the convolutions."""
    skips: list[Tensor] = []
    x = channels_last(x)
    for level, pool in zip(unet.encoder, unet.pooling, strict=True):
        x = _chain(level, x)  # type: ignore[arg-type]
        skips.append(x)
        x = pool(x)
    # What the next block takes: features, or a pair to be upsampled.
    waiting: Tensor | _Pair = x
    for i, level in enumerate(unet.decoder):
        x = _chain(level, waiting)  # type: ignore[arg-type]
        waiting = x
        if unet.grows_after(i):
            pair = (x, skips.pop())
            doubles = unet.factors[-1 - i] == 2
            waiting = pair if doubles else _joined(unet, i, pair)
    if len(unet.remaining):
        return _chain(unet.remaining, waiting)
    if isinstance(waiting, tuple):
        return _joined(unet, len(unet.decoder) - 1, waiting)
    return waiting


def _chain(blocks: Iterable[nn.Module], x: Tensor | _Pair) -> Tensor:
    for block in blocks:
        x = block(x)
    assert isinstance(x, Tensor)
    return x


def _joined(unet: UNet, level: int, pair: _Pair) -> Tensor:
    return torch.cat([unet.upsampling[level](pair[0]), pair[1]], dim=1)
