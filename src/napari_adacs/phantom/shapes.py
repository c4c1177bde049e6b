"""Pairs of random shapes in random intensities, with labels.

A network that has learnt to align shapes in any contrast registers images of
kinds it has never seen. One map of labels is drawn: the largest of several
smooth noise images, with a few hollow chambers, as hearts and vessels have.
Two diffeomorphisms deform it, and each result is painted by itself.

References
----------
Hoffmann et al., "SynthMorph: Learning Contrast-Invariant Registration Without
Acquired Images", IEEE TMI 41(3), 2022 (labels from noise, random intensities,
Dice alone). Chambers, squeezing, speckle and sectors are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_adacs.errors import InputError
from napari_adacs.phantom.painting import Canvas, paint_pair
from napari_adacs.phantom.random_fields import (
    coordinates,
    diffeomorphism,
    relative_coordinates,
    smooth_noise,
    velocity_nodes,
)
from napari_adacs.phantom.shapes_options import ShapesOptions

Array = NDArray[np.float32]
Labels = NDArray[np.uint8]

_MARGIN = 0.15  # of the image, drawn beyond each edge
# Knots per axis of the velocity, and its largest SD as a part of the image.
_MOTIONS = ((2.0, 0.04), (4.0, 0.02), (8.0, 0.008))
_SMALLEST = 8


@dataclass(frozen=True, eq=False)
class ShapesPair:
    """Two views of the same shapes.

    Parameters
    ----------
    moving, fixed : (*shape) numpy.ndarray of float32
        Images in [0, 1].
    moving_labels, fixed_labels : (*shape) numpy.ndarray of uint8
        Labels; 0 where there is nothing.
    """

    moving: Array
    fixed: Array
    moving_labels: Labels
    fixed_labels: Labels


@dataclass(frozen=True, eq=False)
class _Chamber:
    centre: Array
    radius: Array
    wall: float


def shapes_pair(
    seed: int, shape: tuple[int, ...], options: ShapesOptions | None = None
) -> ShapesPair:
    """Draw a pair; the same for the same arguments.

    Parameters
    ----------
    seed : int
        Of every random number.
    shape : tuple of int
        Voxels per axis, 2 or 3 axes.
    options : ShapesOptions, optional
        What is drawn.

    Raises
    ------
    InputError
        If the shape has not 2 or 3 axes of 8 voxels or more.
    """
    if len(shape) not in (2, 3) or min(shape) < _SMALLEST:
        raise InputError(
            f'Shapes of {list(shape)} voxels cannot be drawn.',
            f'Use 2 or 3 axes of at least {_SMALLEST} voxels.',
        )
    options = options or ShapesOptions()
    rng = np.random.default_rng([seed, len(shape), 11])
    margins = [round(_MARGIN * n) for n in shape]
    wide = tuple(n + 2 * m for n, m in zip(shape, margins, strict=True))
    chambers = _chambers(rng, len(shape), options)
    labels = _label_map(rng, wide, chambers, options)
    place = coordinates(shape)
    offset = np.array(margins, np.float32).reshape(-1, *([1] * len(shape)))
    places = [
        place + offset + _displacement(rng, shape, frame, chambers, options)
        for frame in range(2)
    ]
    frames = [_nearest(labels, p) for p in places]
    canvas = Canvas(wide, int(labels.max()))
    moving, fixed = paint_pair(rng, frames, places, canvas, options)
    return ShapesPair(moving, fixed, frames[0], frames[1])


def _chambers(
    rng: np.random.Generator, ndim: int, options: ShapesOptions
) -> list[_Chamber]:
    count = int(rng.integers(options.most_chambers + 1))
    return [
        _Chamber(
            rng.uniform(-0.7, 0.7, ndim).astype(np.float32),
            rng.uniform(0.12, 0.45, ndim).astype(np.float32),
            float(rng.uniform(0.15, 0.6)),
        )
        for _ in range(count)
    ]


def _label_map(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    chambers: list[_Chamber],
    options: ShapesOptions,
) -> Labels:
    """Return labels on the wide canvas; 0 only where there is no body."""
    count = int(rng.integers(options.fewest_labels, options.most_labels + 1))
    spread = rng.uniform(2, 6) * rng.uniform(0.8, 1.25, len(shape))
    cells = [float(c) for c in spread]
    noise = smooth_noise(rng, count, shape, cells)
    fine = float(rng.uniform(0, 0.4))
    noise += np.float32(fine) * smooth_noise(
        rng, count, shape, [2.2 * c for c in cells]
    )
    labels: Labels = noise.argmax(axis=0).astype(np.uint8)
    labels += 1
    # Coordinates of the image without its margin: the canvas reaches beyond.
    x = relative_coordinates(shape) * np.float32(1 + 2 * _MARGIN)
    for i, chamber in enumerate(chambers):
        distance = _distance(rng, x, chamber.centre, chamber.radius)
        labels[distance < 1 + chamber.wall] = count + 2 * i + 1
        labels[distance < 1] = count + 2 * i + 2
    if rng.random() < options.background:
        centre = rng.uniform(-0.15, 0.15, len(shape)).astype(np.float32)
        radius = rng.uniform(0.65, 1.05, len(shape)).astype(np.float32)
        labels[_distance(rng, x, centre, radius) > 1] = 0
    return labels


def _distance(
    rng: np.random.Generator, x: Array, centre: Array, radius: Array
) -> Array:
    """Return a distance from a centre: 1 on an uneven ellipsoid."""
    view = (-1, *([1] * (x.ndim - 1)))
    scaled = (x - centre.reshape(view)) / radius.reshape(view)
    distance = np.sqrt(np.square(scaled).sum(0))
    uneven = np.float32(rng.uniform(0.03, 0.15))
    bumps = smooth_noise(rng, 1, x.shape[1:], [4] * (x.ndim - 1))[0]
    result: Array = distance * (1 + uneven * bumps)
    return result


def _displacement(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    frame: int,
    chambers: list[_Chamber],
    options: ShapesOptions,
) -> Array:
    """Return a diffeomorphic displacement (ndim, *shape) in voxels."""
    nodes, ndim = velocity_nodes(shape), len(shape)
    view = (-1, *([1] * ndim))
    velocity = np.zeros((ndim, *nodes), np.float32)
    for cells, largest in _MOTIONS:
        sd = options.motion * largest * float(rng.uniform())
        velocity += np.float32(sd) * smooth_noise(
            rng, ndim, nodes, [cells] * ndim
        )
    if frame == 0 and options.motion > 0:
        x = relative_coordinates(nodes)
        for chamber in chambers:
            rate = float(rng.uniform(-options.squeeze, options.squeeze))
            away = x - chamber.centre.reshape(view)
            reach = chamber.radius.reshape(view) * (1 + chamber.wall)
            window = np.exp(-0.7 * np.square(away / reach).sum(0))
            # relative coordinates run over two units, velocities over one
            velocity += np.float32(rate / 2) * away * window
    scale = np.array(nodes, np.float32).reshape(view)
    return diffeomorphism(velocity * scale, shape)


def _nearest(labels: Labels, places: Array) -> Labels:
    """Read labels at the voxels nearest to places (ndim, *shape)."""
    index = np.zeros(places.shape[1:], np.int64)
    for axis, size in enumerate(labels.shape):
        step = np.rint(places[axis]).astype(np.int64).clip(0, size - 1)
        index = index * size + step
    return labels.ravel()[index]
