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

import torch
from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.base import Motion, Terms
from napari_adacs.networks.integrated import IntegratedEstimator
from napari_adacs.networks.precision import full
from napari_adacs.networks.pyramid_levels import FeatureLevel, LevelEstimator
from napari_adacs.networks.unet import ConvBlock
from napari_adacs.spatial.operators import grow_displacement, integrate, warp

_WIDEST = 4  # times `channels`


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
    passes : int, default: 1
        How often the whole pyramid looks at the pair: from the second pass
        on at the moving image as warped so far, to add what is missing.

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

    Passes add up in the same way. All share their weights, so that while
    training one of them, drawn at random, learns for all: those before it
    are taken as they are.
    """

    def __init__(
        self,
        ndim: int,
        channels: int = 8,
        levels: int = 4,
        int_steps: int = 7,
        int_downsize: int = 2,
        correlation: int = 0,
        passes: int = 1,
    ) -> None:
        super().__init__(ndim, int_steps, int_downsize)
        _check(channels, levels, int_downsize, correlation, passes)
        self.passes = passes
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
        return self.motion(self.after(self.passes, moving, fixed), inverse)

    def estimate_learning(
        self, moving: Tensor, fixed: Tensor, inverse: bool
    ) -> tuple[Motion, Terms]:
        """Estimate with the last of a random number of passes learning."""
        before = int(torch.randint(self.passes, ())) if self.passes > 1 else 0
        if not before:
            return self.motion(self.velocity(moving, fixed), inverse), {}
        with torch.no_grad():
            velocity = self.after(before, moving, fixed)
        velocity = self.improved(velocity, moving, fixed)
        return self.motion(velocity, inverse), {}

    def after(self, passes: int, moving: Tensor, fixed: Tensor) -> Tensor:
        """Return the velocity after a number of passes; see `velocity`."""
        velocity = self.velocity(moving, fixed)
        for _ in range(passes - 1):
            velocity = self.improved(velocity, moving, fixed)
        return velocity

    def improved(
        self, velocity: Tensor, moving: Tensor, fixed: Tensor
    ) -> Tensor:
        """Add to a velocity what one more pass finds missing.

        Parameters
        ----------
        velocity : (N, ndim, *shape / int_downsize) torch.Tensor
            In voxels of its own grid.
        moving, fixed : (N, 1, *shape) torch.Tensor
            Images of a valid size.
        """
        warped = warp(moving, self.displace(velocity), padding='border')
        return velocity + self.velocity(warped, fixed)

    def velocity(self, moving: Tensor, fixed: Tensor) -> Tensor:
        """Go through the levels once, coarse to fine.

        Parameters
        ----------
        moving, fixed : (N, 1, *shape) torch.Tensor
            Images of a valid size.

        Returns
        -------
        (N, ndim, *shape / int_downsize) torch.Tensor
            Velocity in voxels of its own grid.
        """
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
        return velocity

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


def _check(
    channels: int,
    levels: int,
    int_downsize: int,
    correlation: int,
    passes: int,
) -> None:
    """Refuse options that describe no network."""
    smallest = {
        'channels': (channels, 1),
        'levels': (levels, 1),
        'int_downsize': (int_downsize, 1),
        'correlation': (correlation, 0),
        'passes': (passes, 1),
    }
    for name, (value, least) in smallest.items():
        if value < least:
            raise ModelError(
                f"'{name}' of a pyramid must be at least {least}, not {value}."
            )
