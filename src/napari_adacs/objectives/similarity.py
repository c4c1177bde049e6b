"""Image similarity."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
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


def local_correlation(
    fixed: Tensor, warped: Tensor, window: int = 9, eps: float = 1e-5
) -> Tensor:
    """Return the squared local correlation per voxel, in [0, 1].

    ``cov(I_t, I_w)^2 / (var(I_t) var(I_w) + eps)`` over a cubic window,
    with sums instead of means and zeros outside the image, as VoxelMorph
    does [1]_ [2]_. The sums run along one axis after the other, so that the
    cost hardly depends on the window.

    Parameters
    ----------
    fixed, warped : (N, 1, *shape) torch.Tensor
        Images in [0, 1].
    window : int, default: 9
        Odd side of the window in voxels.
    eps : float, default: 1e-5
        What variances have to exceed; a constant window correlates with
        nothing.

    Raises
    ------
    ValueError
        If the window is not odd.

    References
    ----------
    .. [1] Avants et al., MedIA 12(1), 2008, Sec. 2.2 (cross-correlation).
    .. [2] Balakrishnan et al., IEEE TMI 38(8), 2019, Eq. 4.
    """
    if window < 1 or window % 2 == 0:
        raise ValueError(f'The window must be odd, not {window}.')
    products = torch.cat(
        [fixed, warped, fixed * fixed, warped * warped, fixed * warped], dim=1
    )
    sums = _BoxSum.apply(products, window).split(1, dim=1)  # type: ignore[no-untyped-call]
    size = float(window ** (fixed.ndim - 2))
    cross = sums[4] - sums[0] * sums[1] / size
    # Rounding may leave a constant window a variance below zero.
    fixed_variance = (sums[2] - sums[0].square() / size).clamp_min(0)
    warped_variance = (sums[3] - sums[1].square() / size).clamp_min(0)
    correlation: Tensor = cross.square() / (
        fixed_variance * warped_variance + eps
    )
    return correlation


class _BoxSum(torch.autograd.Function):
    """Sum over a cubic window, zeros outside; its own adjoint."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, window: int) -> Tensor:
        ctx.window = window
        return _box_sum(values, window)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _box_sum(gradient, ctx.window), None


def _box_sum(values: Tensor, window: int) -> Tensor:
    for axis in range(2, values.ndim):
        values = _running_sum(values, window, axis)
    return values


def _running_sum(values: Tensor, window: int, axis: int) -> Tensor:
    """Sum over an odd window along one axis, zeros outside.

    Sums over 1, 2, 4, ... voxels are joined to the window's length: as few
    passes as differences of a cumulative sum need, without the digits that
    such differences cancel.
    """
    size = values.shape[axis]
    padding = [0, 0] * (values.ndim - axis)
    padding[-2:] = [window // 2, window // 2]
    run = F.pad(values, padding)
    length, start, parts = 1, 0, []
    while True:
        if window & length:
            parts.append(run.narrow(axis, start, size))
            start += length
        if 2 * length > window:
            break
        kept = run.shape[axis] - length
        run = run.narrow(axis, 0, kept) + run.narrow(axis, length, kept)
        length *= 2
    out = parts[0]
    for part in parts[1:]:
        out = out + part
    return out
