"""The interface of a weighting scheme.

A scheme answers four questions: how much each residual counts (`weight`),
what the displacement estimator minimises (`data_term`), what its auxiliary
estimator minimises (`auxiliary_terms`), and what a person can look at
(`maps`). Schemes are frozen dataclasses of hyperparameters; what changes
while training lives in a `SchemeState`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from napari_adacs.objectives.similarity import squared_residual, weighted_mse

Preset = Literal['paper', 'code']


@dataclass
class SchemeState:
    """What a scheme remembers between steps, saved in checkpoints.

    Attributes
    ----------
    epoch : int
        Zero-based epoch.
    values : dict of str to float
        Named numbers, such as the momentum.
    """

    epoch: int = 0
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of a pair: an image warped onto another.

    Parameters
    ----------
    fixed, warped : (N, 1, *shape) torch.Tensor
        Target and warped source, in [0, 1].
    mask : (N, 1, *shape) torch.Tensor of bool, optional
        Where the residual counts; everywhere if None.
    """

    fixed: Tensor
    warped: Tensor
    mask: Tensor | None = None

    def detached(self) -> Direction:
        """Return the direction with gradients stopped."""
        return Direction(self.fixed, self.warped.detach(), self.mask)

    def residual(self) -> Tensor:
        """Return the squared residual (N, 1, *shape)."""
        return squared_residual(self.fixed, self.warped, self.mask)


@dataclass(frozen=True)
class WeightingScheme(ABC):
    """Base class of all schemes.

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        Which of the two to follow where paper and published code disagree.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    auxiliary: ClassVar[str | None] = None

    preset: Preset = 'paper'

    @property
    def uses_mask(self) -> bool:
        """Whether exact-zero background is left out (published code)."""
        return self.preset == 'code'

    @abstractmethod
    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return the weight of each residual, (N, 1, *shape), detached.

        Parameters
        ----------
        direction : Direction
            Images of one direction.
        output : (N, 1, *shape) torch.Tensor or None
            What the auxiliary estimator said; None while it is not trained.
        """

    def data_term(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return the displacement estimator's data term."""
        weight = None if output is None else self.weight(direction, output)
        return weighted_mse(weight, direction.residual())

    def auxiliary_terms(
        self, direction: Direction, output: Tensor, state: SchemeState
    ) -> dict[str, Tensor]:
        """Return the auxiliary estimator's loss terms, to be summed."""
        del direction, output, state
        return {}

    def observe(self, directions: list[Direction], state: SchemeState) -> None:
        """Update `state` from the residuals of a displacement step."""
        del directions, state

    def maps(self, direction: Direction, output: Tensor) -> dict[str, Tensor]:
        """Return what a person can look at: score, variance, weight.

        Parameters
        ----------
        direction : Direction
            Images of one direction.
        output : (N, 1, *shape) torch.Tensor
            What the auxiliary estimator said.
        """
        return {'weight': self.weight(direction, output)}

    def hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters as plain data."""
        return asdict(self)


def ones_like(direction: Direction) -> Tensor:
    """Return a weight of one everywhere."""
    return torch.ones_like(direction.fixed)
