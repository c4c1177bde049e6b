"""AdaReg: smoothness that relaxes where the images do not match yet.

References
----------
Wong and Soatto, "Bilateral Cyclic Constraint and Adaptive Regularization
for Unsupervised Monocular Depth Prediction", CVPR 2019; as the baseline of
Zhang et al., AdaCS, ECCV 2024, Sec. 5.3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_adacs.objectives.smoothness import Reduction, gradient_penalty
from napari_adacs.spatial.operators import linear_mode
from napari_adacs.weighting.base import (
    Direction,
    WeightingScheme,
    ones_like,
)

# Only an image that is matched exactly has a smaller mean residual.
_SMALLEST_MEAN = 1e-12


@dataclass(frozen=True)
class AdaReg(WeightingScheme):
    """Plain data term, smoothness weighted by the residual.

    The displacement estimator minimises
    ``mean(r^2) + lambda ||alpha grad u||^2`` with
    ``alpha = exp(-c rho / sigma)`` (AdaCS, Sec. 5.3.1), where rho is the
    absolute residual and sigma its mean, per sample. No estimator takes
    part.

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        'code' has the product ``exp(-c rho sigma)``, multiplies the field
        before its gradient is taken, lets the gradient of the loss pass
        through alpha and leaves out exact-zero background.
    c : float, default: 50.0
        Sharpness (AdaCS, Sec. 5.3.1).

    Notes
    -----
    alpha comes from the forward direction, whose grid the field lives on.
    """

    name: ClassVar[str] = 'adareg'
    title: ClassVar[str] = 'AdaReg (adaptive smoothness)'

    c: float = 50.0

    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return ones: residuals all count the same."""
        return ones_like(direction)

    def smoothness(
        self, field: Tensor, directions: list[Direction], reduction: Reduction
    ) -> Tensor:
        """Return the penalty on the gradient, weighted by alpha."""
        weight = self.smoothness_weight(directions[0])
        if weight.shape[2:] != field.shape[2:]:
            weight = F.interpolate(
                weight,
                size=field.shape[2:],
                mode=linear_mode(field.ndim - 2),
                align_corners=True,
            )
        if self.preset == 'paper':
            return gradient_penalty(field, reduction, weight)
        return gradient_penalty(weight * field, reduction)

    def smoothness_weight(self, direction: Direction) -> Tensor:
        """Return alpha (N, 1, *shape), in the paper's form detached.

        Parameters
        ----------
        direction : Direction
            Images of the forward direction.
        """
        if self.preset == 'code':
            local = direction.absolute_residual()
            return torch.exp(-self.c * local * direction.sample_mean(local))
        local = direction.detached().absolute_residual()
        mean = direction.sample_mean(local).clamp_min(_SMALLEST_MEAN)
        return torch.exp(-self.c * local / mean)

    def maps(
        self, direction: Direction, output: Tensor | None
    ) -> dict[str, Tensor]:
        """Return alpha, which here weights the smoothness."""
        return {'weight': self.smoothness_weight(direction)}
