"""The levels of a pyramid: features, and what compares them.

References
----------
Chen et al., "Encoder-Only Image Registration", arXiv 2509.00451, 2025.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.unet import ConvBlock

_FLOW_INIT_SD = 1e-5
_CONVOLUTIONS = 3  # of an estimator


class FeatureLevel(nn.Module):
    """Averages over blocks of voxels, then a convolution.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    in_channels, out_channels : int
        Channel counts.
    factor : int
        Side of a block.
    """

    def __init__(
        self, ndim: int, in_channels: int, out_channels: int, factor: int
    ) -> None:
        super().__init__()
        self.pooling = (nn.AvgPool2d if ndim == 2 else nn.AvgPool3d)(factor)
        self.block = ConvBlock(ndim, in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, *shape) to (N, out_channels, ...)."""
        out: Tensor = self.block(self.pooling(x))
        return out

    def tensor_functions(self) -> dict[str, Callable[..., Tensor]]:
        """Return the level as a function."""
        return {'forward': self.forward}


class LevelEstimator(nn.Module):
    """Compares the features of one level.

    Parameters
    ----------
    ndim : int
        Number of spatial axes.
    features : int
        Channels of the features of either image, and of the convolutions.
    context : int
        Channels that the estimator of the coarser level hands on.
    correlation : int
        See `Pyramid`.
    """

    def __init__(
        self, ndim: int, features: int, context: int, correlation: int
    ) -> None:
        super().__init__()
        self.correlation = correlation
        shifts = (2 * correlation + 1) ** ndim if correlation else 0
        channels = 2 * features + shifts + context
        self.blocks = nn.ModuleList()
        for _ in range(_CONVOLUTIONS):
            self.blocks.append(ConvBlock(ndim, channels, features))
            channels = features
        self.flow = convolution(ndim)(channels, ndim, 3, padding=1)
        nn.init.normal_(self.flow.weight, 0.0, _FLOW_INIT_SD)
        assert self.flow.bias is not None
        nn.init.zeros_(self.flow.bias)

    def forward(
        self, warped: Tensor, fixed: Tensor, *context: Tensor
    ) -> Tensor:
        """Map features (N, C, *shape) to what is missing, and context.

        Parameters
        ----------
        warped, fixed : (N, features, *shape) torch.Tensor
            Features of the moving image, warped so far, and of the fixed
            one.
        *context : (N, context, *shape / 2) torch.Tensor
            What the estimator of the coarser level handed on, if any.

        Returns
        -------
        (N, ndim + features, *shape) torch.Tensor
            Velocity in voxels of this level, and context for the next.
        """
        inputs = [fixed, warped]
        if self.correlation:
            inputs.append(local_products(fixed, warped, self.correlation))
        for values in context:
            inputs.append(F.interpolate(values, scale_factor=2.0))
        x = torch.cat(inputs, dim=1)
        for block in self.blocks:
            x = block(x)
        return torch.cat([self.flow(x), x], dim=1)

    def tensor_functions(self) -> dict[str, Callable[..., Tensor]]:
        """Return the estimator as a function."""
        return {'forward': self.forward}


def local_products(fixed: Tensor, warped: Tensor, reach: int) -> Tensor:
    """Return how well features match after small shifts.

    Parameters
    ----------
    fixed, warped : (N, C, *shape) torch.Tensor
        Features.
    reach : int
        Largest shift along each axis; the edge is continued.

    Returns
    -------
    (N, (2 reach + 1)^ndim, *shape) torch.Tensor
        Mean over channels of ``fixed(x) warped(x + shift)``.
    """
    shape = fixed.shape[2:]
    around = F.pad(warped, [reach] * (2 * len(shape)), mode='replicate')
    found = []
    for shift in product(range(2 * reach + 1), repeat=len(shape)):
        shifted = around
        for axis, (start, size) in enumerate(zip(shift, shape, strict=True)):
            shifted = shifted.narrow(axis + 2, start, size)
        found.append((fixed * shifted).mean(dim=1, keepdim=True))
    return torch.cat(found, dim=1)
