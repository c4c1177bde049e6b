"""Displacements: a motion's velocity field integrated over unit time.

Both directions are exp(-v) and exp(v) by scaling and squaring (Arsigny et
al., MICCAI 2006) on a coarse grid that reaches beyond the image, so that
they are each other's inverse and invertible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from napari_adacs.phantom.motion import Motion

Array = NDArray[np.float32]

_SQUARINGS = 6
_MARGIN = 5  # nodes around the image


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
    """Integrate a motion over a box by scaling and squaring.

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
    velocity = motion.velocity(nodes) / np.float32(step)
    return Flow(
        pull_back=_exponential(-velocity) * np.float32(step),
        forward=_exponential(velocity) * np.float32(step),
        first=first,
        step=step,
    )


def _exponential(velocity: Array) -> Array:
    """Return the displacement of exp(velocity), both in nodes."""
    shape = velocity.shape[1:]
    index = np.stack(
        np.meshgrid(
            *(np.arange(n, dtype=np.float32) for n in shape), indexing='ij'
        )
    )
    field = velocity / np.float32(2**_SQUARINGS)
    for _ in range(_SQUARINGS):
        field = field + _sample(field, index + field, 1)
    return field


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
