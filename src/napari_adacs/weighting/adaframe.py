"""AdaFrame: weights from how far a residual lies off the mean.

References
----------
Wong, Fei, Hong, Soatto, "An Adaptive Framework for Learning Unsupervised
Depth Completion", IEEE RA-L 6(2), 2021; as the baseline of Zhang et al.,
AdaCS, ECCV 2024, Sec. 5.3.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_adacs.weighting.base import Direction, WeightingScheme


@dataclass(frozen=True)
class AdaFrame(WeightingScheme):
    """Residuals weighted by a sigmoid of their standard score.

    ``alpha = 1 - 1 / (1 + exp(-(a rho - b)))`` with
    ``rho = (delta - mu) / sqrt(sigma^2 + eps)``, ``a = a0 / (mu + eps)``
    and ``b = b0 (1 - cos(pi mu))`` (AdaCS, Sec. 5.3.1), where delta is the
    absolute residual, mu its mean and sigma its standard deviation, all per
    direction and sample. No estimator takes part.

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        'code' leaves out exact-zero background, whose zeros all the same
        add to the deviation, adds eps to sigma instead of its square and
        computes with 3.14 for pi.
    a0 : float, default: 0.1
        Slope of the sigmoid (AdaCS, Sec. 5.3.1).
    b0 : float, default: 10.0
        Largest shift of the sigmoid is ``2 b0`` (AdaCS, Sec. 5.3.1).
    eps : float, default: 1e-7
        Guard of both divisions (published code; no value in the paper).
    """

    name: ClassVar[str] = 'adaframe'
    title: ClassVar[str] = 'AdaFrame (standardised residual)'

    a0: float = 0.1
    b0: float = 10.0
    eps: float = 1e-7

    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return alpha, detached."""
        direction = direction.detached()
        slope, shift = self.activation(self.mean_residual(direction))
        score = self.standard_score(direction)
        # 1 - 1 / (1 + exp(-z)), without its cancellation.
        return torch.sigmoid(shift - slope * score)

    def mean_residual(self, direction: Direction) -> Tensor:
        """Return mu, the mean absolute residual, (N, 1, 1, ...)."""
        return direction.sample_mean(direction.absolute_residual())

    def standard_score(self, direction: Direction) -> Tensor:
        """Return rho, the standardised residual, (N, 1, *shape)."""
        deviation = direction.absolute_residual() - self.mean_residual(
            direction
        )
        variance = direction.sample_mean(deviation.square())
        if self.preset == 'paper':
            return deviation / (variance + self.eps).sqrt()
        return deviation / (variance.sqrt() + self.eps)

    def activation(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """Return slope a and shift b of the sigmoid for a mean residual.

        Parameters
        ----------
        mean : (N, 1, 1, ...) torch.Tensor
            See `mean_residual`.
        """
        pi = math.pi if self.preset == 'paper' else 3.14
        slope = self.a0 / (mean + self.eps)
        return slope, self.b0 * (1 - torch.cos(pi * mean))
