"""Scoring and variance estimators that train beside the displacement.

Both are the VoxelMorph U-Net with a one-channel head. Parameter names equal
those of the authors' code.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from napari_adacs.networks.convolution import convolution
from napari_adacs.networks.precision import full
from napari_adacs.networks.sizes import crop_end, pad_end
from napari_adacs.networks.unet import UNet

_INITIAL_LOGIT = math.log(0.9 / 0.1)


class MapEstimator(nn.Module, ABC):
    """U-Net whose head, named by the subclass, makes a map."""

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        encoder: Sequence[int] | None,
        decoder: Sequence[int] | None,
        unet: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.ndim = ndim
        self.unet_model = UNet(ndim, in_channels, encoder, decoder, **unet)
        self.size_multiple = self.unet_model.size_multiple

    @abstractmethod
    def emit(self, images: Tensor) -> Tensor:
        """Run U-Net and head on images (N, C, *shape) of valid sizes."""

    def any_shape(self, images: Tensor) -> Tensor:
        """Run `emit` on images of any shape, by padding and cropping."""
        padded = pad_end(images, self.size_multiple)
        return crop_end(self.emit(padded), images.shape[2:])

    def tensor_functions(self) -> dict[str, Callable[..., Tensor]]:
        """Return U-Net and head as one function of the images."""
        return {'emit': self.emit}

    def _one_channel_head(self) -> nn.Conv2d | nn.Conv3d:
        channels = self.unet_model.out_channels
        return convolution(self.ndim)(channels, 1, 3, padding=1)


class ScoringEstimator(MapEstimator):
    """Correspondence score ``S = g(I_t)`` in (0, 1), from the fixed image.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int, optional
        U-Net features, see `UNet`.
    **unet
        Further options of `UNet`.

    References
    ----------
    Zhang et al., AdaCS, ECCV 2024, Sec. 4.2.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] | None = None,
        decoder: Sequence[int] | None = None,
        **unet: Any,
    ) -> None:
        super().__init__(ndim, 1, encoder, decoder, unet)
        self.scoring_mask = self._one_channel_head()
        # Eq. 9 is least close to 1; from one half the first steps overshoot
        # into the flat end of the sigmoid, out of which there is no gradient.
        assert self.scoring_mask.bias is not None
        nn.init.constant_(self.scoring_mask.bias, _INITIAL_LOGIT)

    def forward(self, fixed: Tensor, warped: Tensor | None = None) -> Tensor:
        """Score (N, 1, *shape); `warped` is accepted and not used."""
        return torch.sigmoid(full(self.any_shape(fixed)))

    def emit(self, images: Tensor) -> Tensor:
        """Return the logit of the score, for valid sizes."""
        out: Tensor = self.scoring_mask(self.unet_model(images))
        return out


class VarianceEstimator(MapEstimator):
    """Log-variance ``s = log sigma^2`` of the residual, per voxel.

    Parameters
    ----------
    ndim : {2, 3}
        Number of spatial axes.
    encoder, decoder : sequence of int, optional
        U-Net features, see `UNet`.
    **unet
        Further options of `UNet`.

    References
    ----------
    Zhang et al., "Heteroscedastic Uncertainty Estimation Framework for
    Unsupervised Registration", MICCAI 2024, Sec. 4.1.
    """

    def __init__(
        self,
        ndim: int,
        encoder: Sequence[int] | None = None,
        decoder: Sequence[int] | None = None,
        **unet: Any,
    ) -> None:
        super().__init__(ndim, 2, encoder, decoder, unet)
        self.log_sigma_I = self._one_channel_head()

    def forward(self, fixed: Tensor, warped: Tensor) -> Tensor:
        """Estimate (N, 1, *shape) log-variance from fixed and warped."""
        return self.any_shape(torch.cat([warped, fixed], dim=1))

    def emit(self, images: Tensor) -> Tensor:
        """Return the log-variance, for valid sizes."""
        out: Tensor = self.log_sigma_I(self.unet_model(images))
        return out
