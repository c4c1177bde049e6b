"""Smooth random fields attached to space, for texture and irregularity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SmoothNoise:
    """Normal deviates on a periodic lattice, interpolated linearly.

    Parameters
    ----------
    lattice : (n, ...) numpy.ndarray of float32
        One deviate per node.
    cell : float
        Distance of nodes in mm.
    """

    lattice: Array
    cell: float

    @classmethod
    def draw(
        cls, rng: np.random.Generator, ndim: int, cell: float
    ) -> SmoothNoise:
        """Draw a lattice that repeats after 24 cells."""
        shape = (24,) * ndim
        return cls(rng.standard_normal(shape, dtype=np.float32), cell)

    def __call__(self, positions: Array) -> Array:
        """Return the field (...) at positions (ndim, ...) in mm."""
        values: Array = map_coordinates(
            self.lattice,
            positions / np.float32(self.cell) + np.float32(8),
            order=1,
            mode='grid-wrap',
            output=np.float32,
        )
        return values
