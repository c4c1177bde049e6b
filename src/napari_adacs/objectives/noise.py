"""Losses of diffusion models."""

from __future__ import annotations

from torch import Tensor


def noise_loss(
    noise: Tensor, predicted: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Return the mean squared error of predicted noise.

    Parameters
    ----------
    noise, predicted : (N, 1, *shape) torch.Tensor
        Noise of `DiffuseMorph.q_sample`, and its estimate.
    mask : (N, 1, *shape) torch.Tensor of bool, optional
        Where to average; everywhere if None.

    References
    ----------
    Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020,
    Eq. 14.
    """
    error = (noise - predicted).square()
    if mask is None:
        return error.mean()
    return (error * mask).sum() / mask.sum().clamp(min=1)
