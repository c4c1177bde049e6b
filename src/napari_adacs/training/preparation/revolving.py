"""Volumes of real echo texture: apical slices, revolved.

A phantom has the speckle, the haze and the motion that somebody thought of.
Apical slices are real, and some collections of them have labels. A left
ventricle is nearly round about its long axis: turned about it, a slice and its
labels make a volume of which every
half plane is real echo, and in which ED moves to ES as it did in the slice.
One half plane is what lies right of the axis, the opposite one what lies left
of it, and those between them blend. A smooth random change of depth and
radius, the same in both frames, keeps the body from being round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from napari_adacs.errors import InputError
from napari_adacs.phantom.random_fields import smooth_noise
from napari_adacs.training.pairs import TrainingPair

Array = NDArray[np.float32]

SIDE = 64
VENTRICLE = 1
_DEPTH = 1  # axis of a slice along the beam


def revolve(
    pair: TrainingPair, rng: np.random.Generator, side: int = SIDE
) -> TrainingPair:
    """Turn a pair of apical slices about the axis of the left ventricle.

    Parameters
    ----------
    pair : TrainingPair
        Moving is ED. Images and labels are (width, depth), apex at the top.
    rng : numpy.random.Generator
        Draws size, place, elongation and irregularity of the body.
    side : int, default: 64
        Voxels per axis of the volumes.

    Returns
    -------
    TrainingPair
        Images and labels are (side, side, side), the beam along the second
        axis as in 3D echo phantoms.

    Raises
    ------
    InputError
        If labels are missing, or show no left ventricle at end-diastole.
    """
    labels = pair.moving_labels, pair.fixed_labels
    if labels[0] is None or labels[1] is None:
        raise InputError(f'{pair.name} has no labels.')
    body = _body(_long_axis(labels[0], pair.name), rng, side)
    return TrainingPair(
        body.image(pair.moving),
        body.image(pair.fixed),
        body.labels(labels[0]),
        body.labels(labels[1]),
        pair.name,
    )


@dataclass(frozen=True, eq=False)
class _Body:
    """Where the voxels of a volume come from.

    Parameters
    ----------
    right, left : (2, *volume) numpy.ndarray
        Pixel of the slice, on either side of its axis.
    share : (*volume) numpy.ndarray
        Of the right one, from 0 to 1.
    """

    right: Array
    left: Array
    share: Array

    def image(self, image: NDArray[np.float32]) -> Array:
        right, left = (
            map_coordinates(image, at, order=1, mode='constant')
            for at in (self.right, self.left)
        )
        out: Array = self.share * right + (1 - self.share) * left
        return out

    def labels(self, labels: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return the label that has most of each voxel."""
        present = [0, *np.unique(labels[labels > 0])]
        shares = [
            self.image((labels == label).astype(np.float32))
            for label in present[1:]
        ]
        # What no label covers, outside the slice too, is background.
        none = 1 - np.sum(shares, 0)
        most = np.argmax([none, *shares], 0)
        out: NDArray[np.uint8] = np.asarray(present, np.uint8)[most]
        return out


def _long_axis(labels: NDArray[np.integer], name: str) -> tuple[Array, float]:
    """Return the middle of the ventricle, and its tilt in pixels per pixel."""
    inside = np.argwhere(labels == VENTRICLE)
    if not len(inside):
        raise InputError(f'{name} shows no left ventricle (label 1) in ED.')
    depth = inside[:, _DEPTH]
    top, bottom = np.percentile(depth, [5, 95])
    apex, base = inside[depth <= top].mean(0), inside[depth >= bottom].mean(0)
    along = base - apex
    tilt = float(along[1 - _DEPTH] / max(along[_DEPTH], 1))
    return ((apex + base) / 2).astype(np.float32), tilt


def _body(
    axis: tuple[Array, float], rng: np.random.Generator, side: int
) -> _Body:
    """Draw a body about the axis of a ventricle."""
    middle, tilt = axis
    centred = np.arange(side, dtype=np.float32) - (side - 1) / 2
    # Pixels of the slice per voxel: hearts of different size.
    zoom = rng.uniform(1.4, 2.1) * 64 / side
    x, depth, z = (
        part * zoom
        for part in np.meshgrid(
            *(centred + rng.uniform(-4, 4) for _ in range(3)), indexing='ij'
        )
    )
    turn, longer = rng.uniform(0, np.pi), rng.uniform(0.85, 1.18)
    first = (np.cos(turn) * x + np.sin(turn) * z) * longer
    second = (np.cos(turn) * z - np.sin(turn) * x) / longer
    radius = np.hypot(first, second)
    cosine = first / np.maximum(radius, 1e-6)
    share = np.clip(0.5 + 0.5 * cosine * rng.uniform(1.0, 2.0), 0, 1)
    share = share * share * (3 - 2 * share)
    cells = [rng.uniform(2, 5)] * 3
    uneven = smooth_noise(rng, 2, (side,) * 3, cells)
    depth = middle[_DEPTH] + depth + rng.uniform(1, 4) * uneven[0]
    radius = radius * np.exp(rng.uniform(0.03, 0.12) * uneven[1])
    across = middle[1 - _DEPTH] + tilt * rng.uniform(0.5, 1) * (
        depth - middle[_DEPTH]
    )
    return _Body(
        np.stack([across + radius, depth]).astype(np.float32),
        np.stack([across - radius, depth]).astype(np.float32),
        share.astype(np.float32),
    )
