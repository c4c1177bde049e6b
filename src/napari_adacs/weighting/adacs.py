"""Adaptive correspondence scoring (AdaCS).

References
----------
Zhang, Stendahl, Staib, Sinusas, Wong, Duncan, "Adaptive Correspondence
Scoring for Unsupervised Medical Image Registration", ECCV 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_adacs.objectives.similarity import weighted_mse
from napari_adacs.objectives.smoothness import Reduction, gradient_penalty
from napari_adacs.weighting.base import (
    Direction,
    SchemeState,
    WeightingScheme,
)

_MOMENTUM = 'momentum'
_RUNNING_SUM = 'residual_sum'
_RUNNING_COUNT = 'residual_count'
_EPOCH = 'residual_epoch'


@dataclass(frozen=True)
class AdaCS(WeightingScheme):
    """Residuals weighted by a learned correspondence score.

    The scoring estimator sees the fixed image and minimises (Eq. 9)
    ``L_se = mean(S r^2) + alpha mean((1 - S)^2) + beta m_T ||grad S||^2``.

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        'code' differs in the momentum (argument of the cosine, decay
        schedule, weighted residuals), in the total variation (mean over
        axes) and in leaving out exact-zero background.
    alpha : float, default: 0.04
        Weight of the term that keeps scores away from zero (Eq. 4; value of
        the CAMUS experiments).
    beta : float, default: 1.5
        Weight of the total variation of the score (Eq. 8; value of the
        CAMUS experiments).
    decay : float, default: 0.99
        Decay of the momentum (Eq. 7).
    momentum_scaling : float, default: 50.0
        Factor on the residual inside the cosine of the published code.
    """

    name: ClassVar[str] = 'adacs'
    title: ClassVar[str] = 'AdaCS (correspondence score)'
    auxiliary: ClassVar[str | None] = 'scoring'
    leaks_residual: ClassVar[bool] = True

    alpha: float = 0.04
    beta: float = 1.5
    decay: float = 0.99
    momentum_scaling: float = 50.0

    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return the score itself, gradient stopped (Eq. 2)."""
        if output is None:
            return torch.ones_like(direction.fixed)
        return output.detach()

    def auxiliary_terms(
        self, direction: Direction, output: Tensor, state: SchemeState
    ) -> dict[str, Tensor]:
        """Return the three terms of Eq. 9, with Eqs. 3, 4 and 8."""
        deficit = 1 - output
        if direction.mask is not None:
            deficit = deficit * direction.mask
        reduction: Reduction = 'sum' if self.preset == 'paper' else 'mean'
        variation = gradient_penalty(output, reduction)
        return {
            'correspondence': (output * direction.residual()).mean(),
            'deficit': self.alpha * deficit.square().mean(),
            'variation': self.total_variation_weight(state) * variation,
        }

    def total_variation_weight(self, state: SchemeState) -> float:
        """Return the current factor of the score's total variation.

        In the published code the factor is the bare `beta` until the first
        displacement step, and `beta` is inside the moving average.
        """
        if self.preset == 'paper':
            return self.beta * state.values.get(_MOMENTUM, 0.0)
        return state.values.get(_MOMENTUM, self.beta)

    def observation(
        self, directions: list[Direction], outputs: list[Tensor] | None
    ) -> Tensor:
        """Return the mean residual mu_T behind the momentum (Eq. 5).

        The published code takes the losses in place of the residuals:
        weighted by the score, and halved when there are two directions.
        """
        weighted = outputs if self.preset == 'code' else None
        means = [
            weighted_mse(weighted[i] if weighted else None, d.residual())
            for i, d in enumerate(directions)
        ]
        residual = torch.stack(means).mean()
        return (
            residual / len(directions) if self.preset == 'code' else residual
        )

    def observe(self, observation: float, state: SchemeState) -> None:
        """Update the momentum of the residual (Eqs. 6 and 7)."""
        self.update_momentum(observation, state)

    def update_momentum(self, residual: float, state: SchemeState) -> None:
        """Update the momentum from one mean residual.

        Parameters
        ----------
        residual : float
            Mean squared residual mu_T. The published code passes the mean
            of the direction losses, weighted by the score and, for two
            directions, by one half.
        state : SchemeState
            Changed in place.
        """
        values = state.values
        if self.preset == 'paper':
            activation = math.cos(math.pi / 2 * residual)
            previous = values.get(_MOMENTUM, 0.0)
            values[_MOMENTUM] = (
                self.decay * previous + (1 - self.decay) * activation
            )
            return
        mean = _running_mean(residual, state)
        decay = min(1 - 1 / (state.epoch + 1), self.decay)
        # 3.14 instead of pi is what the published code computes.
        fresh = self.beta * math.cos(3.14 * self.momentum_scaling * mean)
        previous = values.get(_MOMENTUM, 0.0)
        values[_MOMENTUM] = decay * previous + (1 - decay) * fresh

    def maps(
        self, direction: Direction, output: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the score, which is also the weight."""
        if output is None:
            return {}
        return {'score': output, 'weight': self.weight(direction, output)}


def _running_mean(residual: float, state: SchemeState) -> float:
    """Average over the steps of the current epoch so far."""
    values = state.values
    if values.get(_EPOCH) != state.epoch:
        values[_EPOCH] = state.epoch
        values[_RUNNING_SUM] = values[_RUNNING_COUNT] = 0.0
    values[_RUNNING_SUM] += residual
    values[_RUNNING_COUNT] += 1
    return values[_RUNNING_SUM] / values[_RUNNING_COUNT]
