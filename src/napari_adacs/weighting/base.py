"""The interface of a weighting scheme.

A scheme answers five questions: how much each residual counts (`weight`),
what the displacement estimator minimises (`data_term`), how smooth its field
has to be (`smoothness`), what its auxiliary estimator minimises
(`auxiliary_terms`), and what a person can look at (`maps`). Schemes are
frozen dataclasses of hyperparameters; what changes while training lives in a
`SchemeState`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor

from napari_adacs.errors import ModelError
from napari_adacs.objectives.similarity import squared_residual, weighted_mse
from napari_adacs.objectives.smoothness import Reduction, gradient_penalty

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

    def absolute_residual(self) -> Tensor:
        """Return ``|I_t - I_w|`` (N, 1, *shape), zero outside the mask."""
        difference = (self.fixed - self.warped).abs()
        return difference if self.mask is None else difference * self.mask

    def sample_mean(self, values: Tensor) -> Tensor:
        """Return the mean of each sample (N, 1, ...), over the mask.

        The sum runs over every voxel, also outside the mask, as in the
        published code.

        Parameters
        ----------
        values : (N, 1, *shape) torch.Tensor
            Such as the absolute residual.
        """
        axes = tuple(range(1, values.ndim))
        if self.mask is None:
            return values.mean(axes, keepdim=True)
        # An empty mask has no mean; its sum is zero too.
        count = self.mask.sum(axes, keepdim=True).clamp_min(1)
        return values.sum(axes, keepdim=True) / count


@dataclass(frozen=True)
class WeightingScheme(ABC):
    """Base class of all schemes.

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        Which of the two to follow where paper and published code disagree.

    Attributes
    ----------
    name, title : str
        In configurations, and for people.
    auxiliary : str or None
        Registered name of the auxiliary estimator.
    joint : bool
        Whether the auxiliary estimator learns from the displacement
        estimator's own loss: nothing stops the gradient between the two,
        and both take a step. Otherwise `auxiliary_terms` train it.
    leaks_residual : bool
        Whether the residual in `auxiliary_terms`, and not only the input
        of the estimator, carries a gradient to the displacement where the
        published code stops none.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    auxiliary: ClassVar[str | None] = None
    joint: ClassVar[bool] = False
    leaks_residual: ClassVar[bool] = False

    preset: Preset = 'paper'

    def __post_init__(self) -> None:
        if self.preset not in get_args(Preset):
            raise ModelError(
                f"There is no preset '{self.preset}'.",
                f'Known presets: {", ".join(get_args(Preset))}.',
            )

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
        """Return the displacement estimator's data term.

        Parameters
        ----------
        direction : Direction
            Images of one direction.
        output : (N, 1, *shape) torch.Tensor or None
            As in `weight`; every residual counts the same while None.
        """
        if output is None and self.auxiliary is not None:
            return weighted_mse(None, direction.residual())
        weight = self.weight(direction, output)
        return weighted_mse(weight, direction.residual())

    def smoothness(
        self, field: Tensor, directions: list[Direction], reduction: Reduction
    ) -> Tensor:
        """Return the penalty on the roughness of the motion.

        Parameters
        ----------
        field : (N, ndim, *field_shape) torch.Tensor
            Displacement or velocity, in voxels of its own grid, which may
            be coarser than the images.
        directions : list of Direction
            Images: forward, then backward if there is one.
        reduction : {'sum', 'mean'}
            See `gradient_penalty`.
        """
        del directions
        return gradient_penalty(field, reduction)

    def auxiliary_terms(
        self, direction: Direction, output: Tensor, state: SchemeState
    ) -> dict[str, Tensor]:
        """Return the auxiliary estimator's loss terms, to be summed."""
        del direction, output, state
        return {}

    def observation(
        self, directions: list[Direction], outputs: list[Tensor] | None
    ) -> Tensor | None:
        """Return the mean residual to remember, or None.

        Of batches of equal size the mean of what they give is that of the
        whole.

        Parameters
        ----------
        directions : list of Direction
            One or two directions, gradients stopped.
        outputs : list of torch.Tensor or None
            What the auxiliary estimator said to each.
        """
        del directions, outputs
        return None

    def observe(self, observation: float, state: SchemeState) -> None:
        """Update `state` after a displacement step.

        Parameters
        ----------
        observation : float
            Mean over the batch of what `observation` returned.
        state : SchemeState
            Changed in place.
        """
        del observation, state

    def maps(
        self, direction: Direction, output: Tensor | None
    ) -> dict[str, Tensor]:
        """Return what a person can look at: score, variance, weight.

        Parameters
        ----------
        direction : Direction
            Images of one direction.
        output : (N, 1, *shape) torch.Tensor or None
            What the auxiliary estimator said; None if the scheme has none.
        """
        return {'weight': self.weight(direction, output)}

    def hyperparameters(self) -> dict[str, Any]:
        """Return the hyperparameters as plain data."""
        return asdict(self)


def ones_like(direction: Direction) -> Tensor:
    """Return a weight of one everywhere."""
    return torch.ones_like(direction.fixed)
