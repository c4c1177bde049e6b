"""Distance of warped tissue from where it belongs, where motion is known."""

from __future__ import annotations

import torch
from torch import Tensor

_KNOWN = 0.99  # less is interpolated with what is not known


def tissue_distance(fixed: Tensor, warped: Tensor) -> Tensor:
    """Return the mean distance between two maps of the same tissue.

    Euclidean, so that the few large errors do not outweigh all others.

    Parameters
    ----------
    fixed, warped : (N, ndim + 1, *shape) torch.Tensor
        Positions of tissue, and whether these are known (1) or not (0).
        Voxels known in both count; without any the distance is 0.

    Returns
    -------
    () torch.Tensor
        In the units of the positions.
    """
    known = (fixed[:, -1] > _KNOWN) & (warped[:, -1] > _KNOWN)
    apart = (warped[:, :-1] - fixed[:, :-1]).square().sum(1)
    # The root has no slope at zero.
    distance = (apart + 1e-6).sqrt()
    count = known.sum().clamp(min=1)
    return torch.where(known, distance, 0.0).sum() / count
