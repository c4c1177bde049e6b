"""Smooth random fields attached to space: texture and irregular motion."""

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


@dataclass(frozen=True, eq=False)
class RandomWaves:
    """A smooth random vector field: a few plane waves of unit power.

    Parameters
    ----------
    waves : (n, ndim) numpy.ndarray of float32
        Wave vectors in radians per mm.
    phases : (n,) numpy.ndarray of float32
        Phases in radians.
    amplitudes : (ndim, n) numpy.ndarray of float32
        One vector per wave.
    """

    waves: Array
    phases: Array
    amplitudes: Array

    @classmethod
    def draw(
        cls, rng: np.random.Generator, ndim: int, length: float
    ) -> RandomWaves:
        """Draw five waves, `length` mm and more long."""
        count = 5
        direction = rng.standard_normal((count, ndim))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        number = 2 * np.pi / (length * rng.uniform(1, 2, (count, 1)))
        amplitudes = rng.standard_normal((ndim, count)) * np.sqrt(2 / count)
        return cls(
            (direction * number).astype(np.float32),
            rng.uniform(0, 2 * np.pi, count).astype(np.float32),
            amplitudes.astype(np.float32),
        )

    def __call__(self, positions: Array) -> Array:
        """Return the field (ndim, ...) at positions (ndim, ...) in mm."""
        angle = np.tensordot(self.waves, positions, axes=1)
        angle += self.phases.reshape((-1,) + (1,) * (positions.ndim - 1))
        field: Array = np.tensordot(self.amplitudes, np.cos(angle), axes=1)
        return field
