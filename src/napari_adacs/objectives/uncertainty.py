"""What the uncertainty of a motion costs: priors on predicted variances."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_adacs.spatial.operators import forward_differences


def velocity_divergence(
    mean: Tensor, log_variance: Tensor, prior: float
) -> Tensor:
    """Return the divergence of a velocity's posterior from its prior.

    The posterior is normal with independent components, the prior normal
    with mean zero and precision ``lambda (D - A)``: D holds the number of
    neighbours of each voxel, A which voxels are neighbours. Per voxel and
    without constants [1]_ ::

        1/2 tr(lambda D Sigma - log Sigma) + 1/2 mu' lambda (D - A) mu

    where ``mu' (D - A) mu`` is the sum over pairs of neighbours of
    ``(mu_i - mu_j)^2``.

    Parameters
    ----------
    mean, log_variance : (N, ndim, *shape) torch.Tensor
        Of the velocity, in voxels of its own grid.
    prior : float
        Precision lambda.

    Returns
    -------
    () torch.Tensor
        Mean over samples and voxels, summed over components.

    References
    ----------
    .. [1] Dalca et al., MedIA 57, 2019, Eq. 8.
    """
    neighbours = degree(mean)
    spread = prior * neighbours * log_variance.exp() - log_variance
    voxels = mean[:, :1].numel()
    rough = torch.stack(
        [d.square().sum() for d in forward_differences(mean)]
    ).sum()
    return (spread.sum() + prior * rough) / (2 * voxels)


def degree(like: Tensor) -> Tensor:
    """Return the number of neighbours of each voxel, (1, 1, *shape).

    Parameters
    ----------
    like : (N, C, *shape) torch.Tensor
        Gives shape, device and dtype.
    """
    shape = like.shape[2:]
    out = torch.zeros((1, 1, *shape), device=like.device, dtype=like.dtype)
    for axis, size in enumerate(shape, start=2):
        if size > 1:
            out.narrow(axis, 0, size - 1).add_(1)
            out.narrow(axis, 1, size - 1).add_(1)
    return out


def variance_penalty(log_variance: Tensor) -> Tensor:
    """Return the mean of ``sigma_z^2 - log sigma_z^2``, least at 1.

    Parameters
    ----------
    log_variance : (N, 1, *shape) torch.Tensor
        ``log sigma_z^2`` of a displacement in voxels.

    References
    ----------
    Zhang et al., "Heteroscedastic Uncertainty Estimation Framework for
    Unsupervised Registration", MICCAI 2024, supplement, "Incorporating
    displacement uncertainty".
    """
    return (log_variance.exp() - log_variance).mean()
