"""Plain similarity: every residual counts the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from torch import Tensor

from napari_adacs.errors import ModelError
from napari_adacs.objectives.similarity import local_correlation, weighted_mse
from napari_adacs.weighting.base import Direction, WeightingScheme, ones_like

Similarity = Literal['mse', 'lncc']


@dataclass(frozen=True)
class Vanilla(WeightingScheme):
    """Unweighted data term (AdaCS, Eq. 1).

    Parameters
    ----------
    preset : {'paper', 'code'}, default: 'paper'
        'code' leaves out exact-zero background.
    similarity : {'mse', 'lncc'}, default: 'mse'
        Mean squared error, or one minus the local squared correlation,
        which does not mind a change of gain.
    """

    name: ClassVar[str] = 'vanilla'
    title: ClassVar[str] = 'Plain (MSE)'

    similarity: Similarity = 'mse'

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.similarity not in get_args(Similarity):
            raise ModelError(
                f"There is no similarity '{self.similarity}'.",
                f'Known similarities: {", ".join(get_args(Similarity))}.',
            )

    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return ones."""
        return ones_like(direction)

    def data_term(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return the mean squared error, or the loss of correlation."""
        if self.similarity == 'mse':
            return weighted_mse(None, direction.residual())
        fixed, warped = direction.fixed, direction.warped
        if direction.mask is not None:
            fixed, warped = fixed * direction.mask, warped * direction.mask
        return 1 - local_correlation(fixed, warped).mean()

    def maps(
        self, direction: Direction, output: Tensor | None
    ) -> dict[str, Tensor]:
        """Return nothing: a weight of one shows nothing."""
        return {}
