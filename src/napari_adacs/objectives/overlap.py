"""Overlap of warped segmentations, for training with labels."""

from __future__ import annotations

from torch import Tensor


def dice_loss(fixed: Tensor, warped: Tensor) -> Tensor:
    """Return one minus the soft Dice overlap.

    ``1 - 2 sum(f w) / (sum f + sum w)`` per label, averaged over the labels
    of each sample, then over samples.

    Parameters
    ----------
    fixed, warped : (N, L, *shape) torch.Tensor
        Masks in [0, 1]. Labels that neither has do not count; a sample
        without any adds nothing.

    References
    ----------
    Balakrishnan et al., IEEE TMI 38(8), 2019, Eq. 10; Hoffmann et al., IEEE
    TMI 41(3), 2022, Eq. 2.
    """
    axes = tuple(range(2, fixed.ndim))
    shared = 2 * (fixed * warped).sum(axes)
    total = fixed.sum(axes) + warped.sum(axes)
    losses = 1 - (shared + 1e-3) / (total + 1e-3)
    there = total.detach() > 0
    count = there.sum(1).clamp(min=1)
    return ((losses * there).sum(1) / count).mean()
