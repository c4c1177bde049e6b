"""Heteroscedastic weighting by the signal-to-noise ratio.

References
----------
Zhang, Pak, Ahn, Li, You, Staib, Sinusas, Wong, Duncan, "Heteroscedastic
Uncertainty Estimation Framework for Unsupervised Registration",
MICCAI 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_adacs.objectives.likelihood import beta_nll, bounded
from napari_adacs.weighting.base import (
    Direction,
    SchemeState,
    WeightingScheme,
)


@dataclass(frozen=True)
class Heteroscedastic(WeightingScheme):
    """Residuals weighted by the relative signal-to-noise ratio.

    The displacement estimator minimises ``mean(T((I_f / sigma)^(2 gamma))
    r^2)`` with the sigmoid T (Eq. 4), the variance estimator the beta-NLL
    ``mean(sigma^(2 beta) (r^2 / sigma^2 + log sigma^2))`` (Eq. 5).

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        'code' takes ``(I_f / sigma^2)^gamma``, min-max normalised over the
        batch, halves the likelihood and leaves out exact-zero background.
    gamma : float, default: 0.5
        Confidence in the variance; 0 reduces to the plain error.
    beta : float, default: 0.5
        Exponent of the beta-NLL.
    """

    name: ClassVar[str] = 'heteroscedastic'
    title: ClassVar[str] = 'Heteroscedastic (signal-to-noise)'
    auxiliary: ClassVar[str | None] = 'variance'

    gamma: float = 0.5
    beta: float = 0.5

    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return the sigmoid of the exponentiated SNR (Eq. 4), detached."""
        fixed = direction.fixed
        if output is None or self.gamma == 0:
            # The published code divides zero by zero for gamma = 0.
            return torch.ones_like(fixed)
        log_variance = bounded(output.detach())
        if self.preset == 'paper':
            signal = fixed.clamp_min(0) * torch.exp(-log_variance / 2)
            return torch.sigmoid(signal.pow(2 * self.gamma))
        if direction.mask is not None:
            log_variance = log_variance * direction.mask
            fixed = fixed * direction.mask
        ratio = (fixed.clamp_min(0) * torch.exp(-log_variance)).pow(self.gamma)
        low, high = ratio.min(), ratio.max()
        # A constant ratio has no contrast to normalise: it stays at zero.
        span = torch.where(high > low, high - low, torch.ones_like(high))
        return torch.sigmoid((ratio - low) / span)

    def auxiliary_terms(
        self, direction: Direction, output: Tensor, state: SchemeState
    ) -> dict[str, Tensor]:
        """Return the beta-NLL of the variance estimator (Eq. 5)."""
        log_variance = bounded(output)
        if direction.mask is not None:
            log_variance = log_variance * direction.mask
        likelihood = beta_nll(direction.residual(), log_variance, self.beta)
        if self.preset == 'code':
            likelihood = likelihood / 2
        return {'likelihood': likelihood.mean()}

    def maps(
        self, direction: Direction, output: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the variance sigma^2 and the weight."""
        if output is None:
            return {}
        return {
            'variance': torch.exp(bounded(output)),
            'weight': self.weight(direction, output),
        }
