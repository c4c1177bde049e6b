"""Image similarity."""

from __future__ import annotations

from torch import Tensor


def squared_residual(
    fixed: Tensor, warped: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Return ``(I_t - I_w)^2`` per voxel, zero outside the mask.

    Parameters
    ----------
    fixed, warped : (N, 1, *shape) torch.Tensor
        Images in [0, 1].
    mask : (N, 1, *shape) torch.Tensor of bool, optional
        Where the residual counts.
    """
    residual = (fixed - warped).square()
    return residual if mask is None else residual * mask


def weighted_mse(weight: Tensor | None, residual: Tensor) -> Tensor:
    """Return the mean over all voxels of ``w r^2``.

    The mean divides by every voxel, also outside a mask (AdaCS, Eq. 2).

    Parameters
    ----------
    weight : (N, 1, *shape) torch.Tensor or None
        Weight map; ones if None.
    residual : (N, 1, *shape) torch.Tensor
        Squared residual.
    """
    return residual.mean() if weight is None else (weight * residual).mean()
