"""VoxelMorph with one more head, for a log-variance."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from napari_adacs.networks.base import Motion
from napari_adacs.networks.precision import full
from napari_adacs.networks.voxelmorph import VoxelMorph


class VarianceVoxelMorph(VoxelMorph):
    """Base class: `emit` returns a mean and behind it a log-variance.

    Its parameters are those of `VoxelMorph`. A registration uses the mean.
    """

    def estimate(self, moving: Tensor, fixed: Tensor, inverse: bool) -> Motion:
        """Estimate the mean motion and its uncertainty."""
        mean, log_variance = self.posterior(moving, fixed)
        motion = self.shrunk_motion(mean, inverse)
        return replace(motion, log_variance=log_variance)

    def posterior(
        self, moving: Tensor, fixed: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, (N, ndim, ...) and (N, C, ...)."""
        emitted = full(self.emit(torch.cat([moving, fixed], dim=1)))
        return emitted[:, : self.ndim], emitted[:, self.ndim :]


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draw from a normal distribution, with gradients to both parameters.

    Parameters
    ----------
    mean : (N, C, *shape) torch.Tensor
        Mean.
    log_variance : (N, C or 1, *shape) torch.Tensor
        Logarithm of the variance.

    References
    ----------
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
    """
    return mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
