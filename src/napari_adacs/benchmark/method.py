"""What a benchmark compares: anything that brings a field for a case."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_adacs.benchmark.case import Case

if TYPE_CHECKING:
    from napari_adacs.spatial.field import DisplacementField

FloatMap = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method found.

    Parameters
    ----------
    field : DisplacementField
        Pull-back displacement on the fixed grid.
    maps : mapping of str to numpy.ndarray, optional
        'score' and 'variance' on the fixed grid, where it has them.
    residual : (*fixed.shape) numpy.ndarray, optional
        Absolute difference of fixed and warped image, both in [0, 1].
    """

    field: DisplacementField
    maps: Mapping[str, FloatMap] = dataclasses.field(default_factory=dict)
    residual: FloatMap | None = None


class Method(ABC):
    """A way to register; made once per process, used for many cases."""

    # Methods of different families never share a process: their compiled
    # libraries may not bear each other.
    family = ''

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def identity(self) -> str:
        """Return what changes when results may: a version, a checksum."""

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """Load what is needed; not counted as time of registration."""

    @abstractmethod
    def register(self, case: Case, threads: int) -> Outcome:
        """Register one case with so many CPU threads."""


UNREGISTERED = 'unregistered'


class Nothing(Method):
    """Leave the moving image where it is: the line all others start from."""

    def __init__(self) -> None:
        super().__init__(UNREGISTERED)

    def identity(self) -> str:
        """Return a constant."""
        return 'identity'

    def prepare(self) -> None:
        """Import what makes a field."""
        import napari_adacs.spatial.field  # noqa: F401

    def register(self, case: Case, threads: int) -> Outcome:
        """Return the identity."""
        from napari_adacs.spatial.field import DisplacementField

        return Outcome(
            DisplacementField.identity(case.fixed.grid, case.moving.grid)
        )
