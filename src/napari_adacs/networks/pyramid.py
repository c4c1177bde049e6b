"""A light pyramid: the velocity is found coarse to fine.

Moving and fixed image go through the same small encoder. At its coarsest
level an estimator of three convolutions compares the features and emits a
velocity. Each finer level doubles it, warps the moving features with its
integral and adds what is still missing. Feature learning and estimation are
kept apart; there is no decoder.

References
----------
Chen et al., "Encoder-Only Image Registration", arXiv 2509.00451, 2025 (shared
encoder, small estimator at each level of a feature pyramid).
Mok and Chung, "Large Deformation Diffeomorphic Image Registration with
Laplacian Pyramid Networks", MICCAI 2020 (each level adds to the enlarged
velocity of the level before, and integrates the sum).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.base import Motion
from napari_adacs.networks.integrated import IntegratedEstimator
from napari_adacs.networks.precision import full
from napari_adacs.networks.unet import ConvBlock, convolution
from napari_adacs.spatial.operators import grow_displacement, integrate, warp

_FLOW_INIT_SD = 1e-5
_CONVOLUTIONS = 3  # of an estimator
_WIDEST = 4  # times `channels`


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


class Pyramid(IntegratedEstimator):
    """Small estimators over a shared feature pyramid, coarse to fine.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    channels : int, default: 8
        Features at full resolution; each level has twice those of the next
        finer one, up to four times this number.
    levels : int, default: 4
        Levels at which a velocity is estimated.
    int_steps : int, default: 7
        Squarings of each integration; 0 makes the levels add displacements.
    int_downsize : int, default: 2
        Voxel of the finest velocity, in voxels of the image. Other than in
        `VoxelMorph` it holds without integration too.
    correlation : int, default: 0
        Largest shift, in voxels of a level along each axis, for which an
        estimator also sees how well the features match; 0 for none.

    Raises
    ------
    ModelError
        If an option is out of range.

    Notes
    -----
    The levels add up to one stationary velocity, ``v <- 2 up(v) + dv``, so
    that the map has an inverse, exp(-v), and the smoothness of the velocity
    is that of a single field. Composing the maps of the levels instead was
    measured to be no better.

    Levels are aligned by the edges of the image, as averages over blocks
    are.
    """

    def __init__(
        self,
        ndim: int,
        channels: int = 8,
        levels: int = 4,
        int_steps: int = 7,
        int_downsize: int = 2,
        correlation: int = 0,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
        _check(channels, levels, int_downsize, correlation)
        self.emitted_step = self.int_downsize = int_downsize
        self.size_multiple = int_downsize * 2 ** (levels - 1)
        self.stem = ConvBlock(ndim, 1, channels)
        self.encoder, self.estimators = nn.ModuleList(), nn.ModuleList()
        widths = [
            channels * min(2 ** (level + 1), _WIDEST)
            for level in range(levels)
        ]
        factors = [int_downsize, *[2] * (levels - 1)]
        inputs = [channels, *widths]
        for i, o, factor in zip(inputs[:-1], widths, factors, strict=True):
            self.encoder.append(FeatureLevel(ndim, i, o, factor))
        for width, context in zip(widths, [*widths[1:], 0], strict=True):
            self.estimators.append(
                LevelEstimator(ndim, width, context, correlation)
            )

    def estimate(self, moving: Tensor, fixed: Tensor, inverse: bool) -> Motion:
        """Estimate the motion between images of valid sizes."""
        velocity = moving.new_zeros(())
        context: list[Tensor] = []
        for (of_moving, of_fixed), estimator in zip(
            reversed(self.features(moving, fixed)),
            reversed(self.estimators),
            strict=True,
        ):
            warped = of_moving
            if context:
                velocity = grow_displacement(velocity, 2)
                motion = integrate(velocity, self.int_steps)
                warped = warp(of_moving, motion, padding='border')
            found = estimator(warped, of_fixed, *context)
            velocity = velocity + full(found[:, : self.ndim])
            context = [found[:, self.ndim :]]
        return self.motion(velocity, inverse)

    def features(
        self, moving: Tensor, fixed: Tensor
    ) -> list[tuple[Tensor, Tensor]]:
        """Return the features of both images, the finest level first.

        Parameters
        ----------
        moving, fixed : (N, 1, *shape) torch.Tensor
            Images of a valid size.

        Returns
        -------
        list of (N, features, *level_shape) torch.Tensor, twice
            Of the moving and of the fixed image.
        """
        x = self.stem(torch.cat([moving, fixed]))
        found = []
        for level in self.encoder:
            x = level(x)
            of_moving, of_fixed = full(x).chunk(2)
            found.append((of_moving, of_fixed))
        return found

    def displace(self, raw: Tensor) -> Tensor:
        """Integrate a velocity and bring it to full resolution."""
        return grow_displacement(
            integrate(raw, self.int_steps), self.int_downsize
        )


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


def _check(
    channels: int, levels: int, int_downsize: int, correlation: int
) -> None:
    """Refuse options that describe no network."""
    smallest = {
        'channels': (channels, 1),
        'levels': (levels, 1),
        'int_downsize': (int_downsize, 1),
        'correlation': (correlation, 0),
    }
    for name, (value, least) in smallest.items():
        if value < least:
            raise ModelError(
                f"'{name}' of a pyramid must be at least {least}, not {value}."
            )
