"""Scoring and variance estimators that train beside the displacement.

Both are the VoxelMorph U-Net with a one-channel head. Parameter names equal
those of the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_adacs.networks.precision import full
from napari_adacs.networks.unet import DECODER, ENCODER, UNet, convolution

_INITIAL_LOGIT = math.log(0.9 / 0.1)


class _MapEstimator(nn.Module):
    """U-Net whose head, named by the subclass, makes a map."""

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        encoder: Sequence[int],
        decoder: Sequence[int],
    ) -> None:
        super().__init__()
        self.ndim = ndim
        self.unet_model = UNet(ndim, in_channels, encoder, decoder)
        self.size_multiple = self.unet_model.size_multiple

    def _one_channel_head(self) -> nn.Conv2d | nn.Conv3d:
        channels = self.unet_model.out_channels
        return convolution(self.ndim)(channels, 1, 3, padding=1)


class ScoringEstimator(_MapEstimator):
    """Correspondence score ``S = g(I_t)`` in (0, 1), from the fixed image.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int
        U-Net features, see `UNet`.

    References
    ----------
    Zhang et al., AdaCS, ECCV 2024, Sec. 4.2.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] = ENCODER,
        decoder: Sequence[int] = DECODER,
    ) -> None:
        super().__init__(ndim, 1, encoder, decoder)
        self.scoring_mask = self._one_channel_head()
        # Eq. 9 is least close to 1; from one half the first steps overshoot
        # into the flat end of the sigmoid, out of which there is no gradient.
        assert self.scoring_mask.bias is not None
        nn.init.constant_(self.scoring_mask.bias, _INITIAL_LOGIT)

    def forward(self, fixed: Tensor, warped: Tensor | None = None) -> Tensor:
        """Score (N, 1, *shape); `warped` is accepted and not used."""
        return torch.sigmoid(full(self.scoring_mask(self.unet_model(fixed))))


class VarianceEstimator(_MapEstimator):
    """Log-variance ``s = log sigma^2`` of the residual, per voxel.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int
        U-Net features, see `UNet`.

    References
    ----------
    Zhang et al., "Heteroscedastic Uncertainty Estimation Framework for
    Unsupervised Registration", MICCAI 2024, Sec. 4.1.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] = ENCODER,
        decoder: Sequence[int] = DECODER,
    ) -> None:
        super().__init__(ndim, 2, encoder, decoder)
        self.log_sigma_I = self._one_channel_head()

    def forward(self, fixed: Tensor, warped: Tensor) -> Tensor:
        """Estimate (N, 1, *shape) log-variance from fixed and warped."""
        pair = torch.cat([warped, fixed], dim=1)
        out: Tensor = self.log_sigma_I(self.unet_model(pair))
        return out
