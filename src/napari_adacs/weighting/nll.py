"""Negative log-likelihood (NLL), both estimators under one loss.

References
----------
Kendall and Gal, "What Uncertainties Do We Need in Bayesian Deep Learning
for Computer Vision?", NeurIPS 2017; as the baseline of Zhang et al., AdaCS,
ECCV 2024, Sec. 5.3.2.
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
class NLL(WeightingScheme):
    """Likelihood of the residual under a predicted variance.

    Displacement and variance estimator both minimise
    ``mean(r^2 / sigma^2 + log sigma^2)`` (AdaCS, Sec. 5.3.2), so a residual
    counts with the inverse of its variance.

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        'code' halves the likelihood and leaves out exact-zero background.

    Notes
    -----
    Neither source stops a gradient: the loss also reaches the displacement
    through the warped image that the variance estimator sees. While the
    displacement trains alone the data term is the plain error, and while
    the variance trains alone the displacement is given.
    """

    name: ClassVar[str] = 'nll'
    title: ClassVar[str] = 'NLL (likelihood)'
    auxiliary: ClassVar[str | None] = 'variance'
    joint: ClassVar[bool] = True

    @property
    def exponent(self) -> float:
        """Exponent beta of the factor in front of the likelihood."""
        return 0.0

    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return ``sigma^(2 beta) / sigma^2``, detached."""
        if output is None:
            return torch.ones_like(direction.fixed)
        log_variance = self._log_variance(direction, output.detach())
        weight = torch.exp((self.exponent - 1) * log_variance)
        return weight / 2 if self.preset == 'code' else weight

    def data_term(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return the likelihood, with gradients to both estimators."""
        if output is None:
            return super().data_term(direction, output)
        likelihood = beta_nll(
            direction.residual(),
            self._log_variance(direction, output),
            self.exponent,
        )
        if self.preset == 'code':
            likelihood = likelihood / 2
        return likelihood.mean()

    def auxiliary_terms(
        self, direction: Direction, output: Tensor, state: SchemeState
    ) -> dict[str, Tensor]:
        """Return the same likelihood, while the variance trains alone."""
        return {'likelihood': self.data_term(direction, output)}

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

    def _log_variance(self, direction: Direction, output: Tensor) -> Tensor:
        bound = bounded(output)
        return bound if direction.mask is None else bound * direction.mask
