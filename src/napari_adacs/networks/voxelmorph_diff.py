"""VoxelMorph-diff: a posterior over velocities, 2D and 3D.

References
----------
Dalca et al., "Unsupervised Learning of Probabilistic Diffeomorphic
Registration for Images and Surfaces", MedIA 57, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from napari_adacs.errors import ModelError
from napari_adacs.networks.base import Motion, Terms
from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.sizes import crop_end
from napari_adacs.networks.voxelmorph_variance import (
    VarianceVoxelMorph,
    drawn,
)
from napari_adacs.objectives.uncertainty import velocity_divergence

# So small that the first draws hardly differ from the mean.
_FIRST_LOG_VARIANCE = -10.0
_HEAD_INIT_SD = 1e-10


class VoxelMorphDiff(VarianceVoxelMorph):
    """U-Net that emits mean and variance of a stationary velocity.

    While training, the velocity is drawn from ``N(mu, Sigma)`` with a
    diagonal Sigma (Eq. 7), and the divergence of that from the prior
    ``N(0, (lambda (D - A))^-1)`` is the only regularity (Eq. 8 to 10). A
    registration integrates the mean.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int, optional
        U-Net features, see `UNet`.
    int_steps : int, default: 7
        Squarings of the integration, at least 1.
    int_downsize : int, default: 2
        Factor by which the velocity is shrunk before integration.
    unet_half_res : bool, default: True
        Whether the U-Net emits the velocity at half resolution, as in the
        paper; otherwise it is drawn at full resolution and shrunk.
    prior : float, default: 10.0
        Precision lambda of the prior.
    image_sd : float, default: 0.02
        Standard deviation of the noise of images in [0, 1] (Eq. 3).
    samples : int, default: 16
        Draws from which `displacement_sd` is estimated.
    **unet
        As in `VoxelMorph`.

    Notes
    -----
    The likelihood is ``r^2 / (2 image_sd^2)`` per voxel. All losses are
    multiplied by ``2 image_sd^2``, so that the data term has the weight 1
    that it has with every other network, and any weighting scheme may take
    its place.

    Raises
    ------
    ModelError
        If there is no integration, or an option is out of range.
    """

    own_prior: ClassVar[bool] = True

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] | None = None,
        decoder: Sequence[int] | None = None,
        int_steps: int = 7,
        int_downsize: int = 2,
        unet_half_res: bool = True,
        prior: float = 10.0,
        image_sd: float = 0.02,
        samples: int = 16,
        **unet: Any,
    ) -> None:
        if int_steps < 1 or prior <= 0 or image_sd <= 0 or samples < 2:
            raise ModelError(
                "VoxelMorph-diff needs 'int_steps' of 1 or more, a positive "
                "'prior' and 'image_sd', and 2 'samples' or more."
            )
        super().__init__(
            ndim,
            encoder,
            decoder,
            int_steps,
            int_downsize,
            unet_half_res,
            **unet,
        )
        self.prior, self.image_sd, self.samples = prior, image_sd, samples
        self.log_sigma = convolution(ndim)(
            self.unet_model.out_channels, ndim, 3, padding=1
        )
        nn.init.normal_(self.log_sigma.weight, 0.0, _HEAD_INIT_SD)
        assert self.log_sigma.bias is not None
        nn.init.constant_(self.log_sigma.bias, _FIRST_LOG_VARIANCE)

    def emit(self, pair: Tensor) -> Tensor:
        """Map a pair to mean and log-variance, (N, 2 ndim, ...)."""
        features = self.unet_model(pair)
        return torch.cat([self.flow(features), self.log_sigma(features)], 1)

    def estimate_learning(
        self, moving: Tensor, fixed: Tensor, inverse: bool
    ) -> tuple[Motion, Terms]:
        """Draw a velocity, and say how far its posterior is from the prior."""
        mean, log_variance = self.posterior(moving, fixed)
        motion = self.shrunk_motion(drawn(mean, log_variance), inverse)
        scale = 2 * self.image_sd**2
        # The divergence is per voxel of the velocity, the data term per
        # voxel of the image.
        share = math.prod(mean.shape[2:]) / math.prod(moving.shape[2:])
        divergence = velocity_divergence(mean, log_variance, self.prior)
        return (
            replace(motion, log_variance=log_variance),
            {'divergence': scale * share * divergence},
        )

    def displacement_sd(self, motion: Motion) -> Tensor | None:
        """Estimate the standard deviation from draws of the velocity.

        The noise is the same at each call, so that results repeat.
        """
        assert motion.log_variance is not None
        spread = torch.exp(motion.log_variance / 2)
        noise = torch.Generator().manual_seed(0)
        total = torch.zeros_like(motion.displacement)
        squares = torch.zeros_like(motion.displacement)
        for _ in range(self.samples):
            draw = torch.randn(spread.shape, generator=noise).to(spread)
            # Shrinking is linear: the noise may be shrunk by itself.
            shift = self.shrunk_velocity(spread * draw)
            off = self.displace(motion.raw + shift)
            off = crop_end(off, total.shape[2:]) - motion.displacement
            total += off
            squares += off.square()
        mean = total / self.samples
        variance = squares / self.samples - mean.square()
        unbiased = self.samples / (self.samples - 1)
        return (variance.clamp_min(0) * unbiased).sqrt()
