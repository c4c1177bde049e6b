"""Displacements: a motion's velocity field integrated over unit time.

Both directions, exp(-v) and exp(v), are integrated by Runge-Kutta steps of
the analytic velocity from the nodes of a coarse grid that reaches beyond
the image. As flows of one stationary field they are invertible and each
other's inverse. (Scaling and squaring on the same 4.5 mm nodes
takes as long and is up to 0.8 mm off, for its repeated interpolation; the
paths are within 0.12 mm.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from napari_adacs.phantom.motion import Motion

Array = NDArray[np.float32]

_STEPS = 4
_MARGIN = 3  # nodes around the image


@dataclass(frozen=True, eq=False)
class Flow:
    """The displacements of a motion, on a coarse grid around the image.

    Parameters
    ----------
    pull_back : (ndim, *nodes) numpy.ndarray of float32
        u in mm: end-systolic anatomy at x was at x + u(x).
    forward : (ndim, *nodes) numpy.ndarray of float32
        Its inverse: anatomy at x goes to x + w(x).
    first : (ndim,) numpy.ndarray of float32
        Position of the first node, mm.
    step : float
        Distance of nodes, mm.
    """

    pull_back: Array
    forward: Array
    first: Array
    step: float

    def at(self, positions: Array, field: Array, order: int = 1) -> Array:
        """Return `field` (ndim, ...) at positions (ndim, ...), in mm."""
        shape = (len(positions),) + (1,) * (positions.ndim - 1)
        index = (positions - self.first.reshape(shape)) / np.float32(self.step)
        return _sample(field, index, order)


def integrate(motion: Motion, low: Array, high: Array, step: float) -> Flow:
    """Integrate a motion for every point of a box.

    Parameters
    ----------
    motion : Motion
        The velocity field.
    low, high : (ndim,) numpy.ndarray of float32
        Corners of the box that positions come from, mm.
    step : float
        Node distance in mm.
    """
    margin = np.float32(_MARGIN * step)
    first = (low - margin).astype(np.float32)
    counts = np.ceil((high + margin - first) / step).astype(int) + 1
    axes = [
        f + np.float32(step) * np.arange(n, dtype=np.float32)
        for f, n in zip(first, counts, strict=True)
    ]
    nodes = np.stack(np.meshgrid(*axes, indexing='ij'))
    return Flow(
        pull_back=_path(motion, nodes, -1.0),
        forward=_path(motion, nodes, 1.0),
        first=first,
        step=step,
    )


def _path(motion: Motion, start: Array, duration: float) -> Array:
    """Return how far points (ndim, ...) travel in the velocity field."""
    point, h = start, np.float32(duration / _STEPS)
    for _ in range(_STEPS):
        k1 = motion.velocity(point)
        k2 = motion.velocity(point + h / 2 * k1)
        k3 = motion.velocity(point + h / 2 * k2)
        k4 = motion.velocity(point + h * k3)
        point = point + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return point - start


def _sample(field: Array, index: Array, order: int) -> Array:
    """Interpolate each component of a field at (ndim, ...) indices."""
    return np.stack(
        [
            map_coordinates(
                component,
                index,
                order=order,
                mode='nearest',
                output=np.float32,
            )
            for component in field
        ]
    )
