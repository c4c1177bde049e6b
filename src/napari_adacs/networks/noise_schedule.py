"""Noise schedule of a diffusion model, computed in float64.

References
----------
Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020, Eq. 4-7.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SMALLEST_VARIANCE = 1e-20


def linear_betas(
    steps: int = 2000, start: float = 1e-6, end: float = 1e-2
) -> Tensor:
    """Return the variances added per step, evenly spaced.

    Parameters
    ----------
    steps : int, default: 2000
        Number of steps.
    start, end : float
        First and last variance; defaults are those of DiffuseMorph.

    Returns
    -------
    (steps,) torch.Tensor of float64
        Variances.
    """
    return torch.linspace(start, end, steps, dtype=torch.float64)


def schedule(betas: Tensor) -> dict[str, Tensor]:
    """Return what forward and reverse process need of each step.

    Parameters
    ----------
    betas : (steps,) torch.Tensor of float64
        Variance added by each step.

    Returns
    -------
    dict of str to (steps,) torch.Tensor of float64
        The twelve tables of the published state dicts.
    """
    alphas = 1 - betas
    kept = torch.cumprod(alphas, 0)
    kept_before = torch.cat([torch.ones_like(kept[:1]), kept[:-1]])
    lost = 1 - kept
    variance = betas * (1 - kept_before) / lost
    return {
        'betas': betas,
        'alphas_cumprod': kept,
        'alphas_cumprod_prev': kept_before,
        'sqrt_alphas_cumprod': kept.sqrt(),
        'sqrt_one_minus_alphas_cumprod': lost.sqrt(),
        'log_one_minus_alphas_cumprod': lost.log(),
        'sqrt_recip_alphas_cumprod': kept.rsqrt(),
        'sqrt_recipm1_alphas_cumprod': (1 / kept - 1).sqrt(),
        'posterior_variance': variance,
        # The variance of the first step is zero, which has no logarithm.
        'posterior_log_variance_clipped': variance.clamp(
            min=_SMALLEST_VARIANCE
        ).log(),
        'posterior_mean_coef1': betas * kept_before.sqrt() / lost,
        'posterior_mean_coef2': (1 - kept_before) * alphas.sqrt() / lost,
    }
