"""Likelihood of a residual under a predicted variance."""

from __future__ import annotations

import torch
from torch import Tensor

# Keeps exp(s) and exp(-s) finite in single precision; sigma stays within
# [3e-7, 3e6], far outside what images in [0, 1] can show.
_LOG_VARIANCE_LIMIT = 30.0


def bounded(log_variance: Tensor) -> Tensor:
    """Return a log-variance whose exponentials are finite.

    Parameters
    ----------
    log_variance : (N, 1, *shape) torch.Tensor
        ``s = log sigma^2``.
    """
    return log_variance.clamp(-_LOG_VARIANCE_LIMIT, _LOG_VARIANCE_LIMIT)


def beta_nll(residual: Tensor, log_variance: Tensor, beta: float) -> Tensor:
    """Return ``|_sigma^(2 beta)_| (r^2 / sigma^2 + log sigma^2)`` per voxel.

    The factor in front carries no gradient. `beta` 0 is the Gaussian
    negative log-likelihood, up to a constant and a factor of two.

    Parameters
    ----------
    residual : (N, 1, *shape) torch.Tensor
        Squared residual ``r^2``.
    log_variance : (N, 1, *shape) torch.Tensor
        ``s = log sigma^2``, see `bounded`.
    beta : float
        Exponent; 1 gives every residual the same weight.

    References
    ----------
    Kendall and Gal, NeurIPS 2017 (NLL); Seitzer et al., ICLR 2022
    (beta-NLL); Zhang et al., AdaCS, ECCV 2024, Sec. 5.3.2.
    """
    likelihood = residual * torch.exp(-log_variance) + log_variance
    if beta > 0:
        likelihood = likelihood * torch.exp(beta * log_variance.detach())
    return likelihood
