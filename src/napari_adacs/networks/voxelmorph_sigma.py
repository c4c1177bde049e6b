"""VoxelMorph that predicts how uncertain its displacement is, 2D and 3D.

References
----------
Zhang, Pak, Ahn, Li, You, Staib, Sinusas, Wong, Duncan, "Heteroscedastic
Uncertainty Estimation Framework for Unsupervised Registration", MICCAI
2024, supplement, "Incorporating displacement uncertainty".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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
from napari_adacs.objectives.uncertainty import variance_penalty

# A standard deviation of a seventh of a voxel: from one voxel, the first
# steps would see little but noise.
_FIRST_LOG_VARIANCE = -4.0


class VoxelMorphSigma(VarianceVoxelMorph):
    """U-Net with a further layer for the variance ``sigma_z^2`` of ``z``.

    While training, the displacement is drawn, ``z ~ N(mu_z, sigma_z^2 I)``,
    and ``alpha (sigma_z^2 - log sigma_z^2)`` is added to data term and
    smoothness. A registration uses the mean. ``sigma_z``, in voxels, is one
    number per voxel for all components.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int, optional
        U-Net features, see `UNet`.
    int_steps, int_downsize : int
        As in `VoxelMorph`.
    alpha : float, default: 0.001
        Weight of the penalty; the paper does not give its value.
    **unet
        As in `VoxelMorph`, without `unet_half_res`.

    Notes
    -----
    The noise is added after integration, so that a drawn displacement need
    not be invertible. In both directions, the network sees the swapped pair
    for the uncertainty of the way back.

    Raises
    ------
    ModelError
        If an option does not fit.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] | None = None,
        decoder: Sequence[int] | None = None,
        int_steps: int = 7,
        int_downsize: int = 2,
        alpha: float = 1e-3,
        **unet: Any,
    ) -> None:
        if alpha <= 0:
            raise ModelError("'alpha' must be positive.")
        if unet.get('unet_half_res'):
            raise ModelError(
                'The uncertainty of the displacement needs a U-Net at full '
                'resolution.',
                "Set 'unet_half_res' to false.",
            )
        super().__init__(
            ndim, encoder, decoder, int_steps, int_downsize, **unet
        )
        self.alpha = alpha
        self.log_sigma_z = convolution(ndim)(
            self.unet_model.out_channels, 1, 3, padding=1
        )
        assert self.log_sigma_z.bias is not None
        nn.init.constant_(self.log_sigma_z.bias, _FIRST_LOG_VARIANCE)

    def emit(self, pair: Tensor) -> Tensor:
        """Map a pair to flow and ``log sigma_z^2``, (N, ndim + 1, ...)."""
        features = self.unet_model(pair)
        return torch.cat([self.flow(features), self.log_sigma_z(features)], 1)

    def estimate_learning(
        self, moving: Tensor, fixed: Tensor, inverse: bool
    ) -> tuple[Motion, Terms]:
        """Draw displacements, and say what their uncertainty costs."""
        back = None
        if inverse and self.invertible:
            flow, log_variance = self.posterior(
                torch.cat([moving, fixed]), torch.cat([fixed, moving])
            )
            motion = self.shrunk_motion(flow.chunk(2)[0], True)
            forward, back = log_variance.chunk(2)
        else:
            flow, log_variance = self.posterior(moving, fixed)
            motion = self.shrunk_motion(flow, False)
            forward = log_variance
        motion = replace(
            motion,
            displacement=drawn(motion.displacement, forward),
            inverse=None
            if back is None or motion.inverse is None
            else drawn(motion.inverse, back),
            log_variance=forward,
        )
        penalty = self.alpha * variance_penalty(log_variance)
        return motion, {'uncertainty': penalty}

    def displacement_sd(self, motion: Motion) -> Tensor | None:
        """Return sigma_z for each component."""
        assert motion.log_variance is not None
        spread = torch.exp(motion.log_variance / 2)
        spread = crop_end(spread, motion.displacement.shape[2:])
        return spread.expand_as(motion.displacement)
