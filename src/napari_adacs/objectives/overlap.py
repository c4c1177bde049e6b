"""Overlap of warped segmentations, for training with labels."""

from __future__ import annotations

from torch import Tensor


def dice_loss(fixed: Tensor, warped: Tensor) -> Tensor:
    """Return one minus the soft Dice overlap, averaged over labels.

    Parameters
    ----------
    fixed, warped : (N, L, *shape) torch.Tensor
        Masks in [0, 1]; labels missing in both count as perfect.
    """
    axes = tuple(range(2, fixed.ndim))
    shared = 2 * (fixed * warped).sum(axes)
    total = fixed.sum(axes) + warped.sum(axes)
    return 1 - ((shared + 1e-3) / (total + 1e-3)).mean()
