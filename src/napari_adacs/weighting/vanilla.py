"""Plain mean squared error: every residual counts the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from napari_adacs.weighting.base import Direction, WeightingScheme, ones_like


@dataclass(frozen=True)
class Vanilla(WeightingScheme):
    """Unweighted data term (AdaCS, Eq. 1)."""

    name: ClassVar[str] = 'vanilla'
    title: ClassVar[str] = 'Plain (MSE)'

    def weight(self, direction: Direction, output: Tensor | None) -> Tensor:
        """Return ones."""
        return ones_like(direction)
